// Jicho in a health worker's pocket: the screening of the clinic's server, with no server in reach.

import { handOver, isEnrolled } from "./handover";
import { Reader } from "./reading/reader";
import { hold } from "./release";
import { type Screening, all } from "./screening";
import { details } from "./screens/details";
import { enrol } from "./screens/enrol";
import { home } from "./screens/home";
import { photographs } from "./screens/photographs";
import { chooseLanguage, install, unlock, update } from "./screens/setup";
import { tier } from "./tier";
import * as site from "./site";
import type { Vault } from "./vault";

async function start(): Promise<void> {
  await chooseLanguage();
  await install();
  await site.load();
  const vault = await unlock();
  const reader = new Reader();
  const screenings = await all(vault);
  const open = screenings.find((each) => each.onScreen);
  if (open) await screen(vault, reader, open); // the phone went off in the middle of it
  for (;;) {
    if (await update()) return location.reload();
    void reader.load("/app/models/dr/", await tier()).catch(() => {}); // said when it is needed
    handOver(vault, screenings);
    const chosen = await home(screenings, await isEnrolled(vault));
    if (chosen.what === "enrol") await enrol(vault);
    if (chosen.what === "lock") return location.reload();
    if (chosen.what === "language") await chooseLanguage(true);
    if (chosen.what === "open") await screen(vault, reader, chosen.screening!);
    if (chosen.what === "new") {
      const opened = await details((screenings[0]?.number ?? 0) + 1);
      if (opened) {
        screenings.unshift(opened);
        await screen(vault, reader, opened);
      }
    }
  }
}

/** One screening, from the consent to the result, in one release of the app and its models. */
async function screen(vault: Vault, reader: Reader, screening: Screening): Promise<void> {
  const release = await hold();
  await photographs(vault, reader, screening);
  await release();
}

void start();
