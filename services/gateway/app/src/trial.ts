import { folder } from "./programmes";
import { Reader } from "./reading/reader";
import * as release from "./release";

/** Tries the models that are new among what was downloaded, in a thread that ends afterwards. Throws NotRead for a model
 * that answers otherwise than it should. */
export async function tried(groups: release.Group[]): Promise<void> {
  const before = await release.listedInUse();
  const listed = release.listed(groups);
  const isNew = (group: release.Group) => group.files.some((file) => before[file.url] !== file.sha256);
  for (const { name } of groups.filter((group) => group.kind === "programme" && isNew(group))) {
    const reader = new Reader();
    await reader.try(folder(name), listed).finally(() => reader.close());
  }
}
