// Jicho in a health worker's pocket: the screening of the clinic's server, with no server in reach.

import { notice } from "./dom";
import { handOver, isEnrolled } from "./handover";
import * as programmes from "./programmes";
import { Reader } from "./reading/reader";
import { hold } from "./release";
import { type Screening, all } from "./screening";
import { details } from "./screens/details";
import { enrol } from "./screens/enrol";
import { home } from "./screens/home";
import { photographs } from "./screens/photographs";
import { changePin, unlock } from "./screens/pin";
import { question } from "./screens/question";
import { add, chooseLanguage, install } from "./screens/setup";
import { tier } from "./tier";
import * as site from "./site";
import * as updates from "./updates";
import { words } from "./words";

const CLOSED = "closed-by-the-clinic";

async function start(): Promise<void> {
  await chooseLanguage();
  await install();
  await Promise.all([site.load(), programmes.load()]);
  if (localStorage.getItem(CLOSED)) notice(words("app-revoked"));
  const vault = await unlock();
  localStorage.removeItem(CLOSED);
  const reader = new Reader();
  const screenings = await all(vault);
  const first = programmes.ofCases();
  /** One screening, from the consent to the result. */
  const screen = async (screening: Screening): Promise<void> => {
    await held(() => photographs(vault, reader, first!.name, screening));
    if (screening.withdrawn && !screening.sent) screenings.splice(screenings.indexOf(screening), 1);
  };
  const open = screenings.find((each) => each.onScreen);
  if (open && first) await screen(open); // the phone went off in the middle of it
  for (;;) {
    if (await updates.putIntoUse()) return location.reload();
    void updates.look();
    if (first) void reader.load(programmes.folder(first.name), await tier()).catch(() => {}); // said when it is needed
    handOver(vault, screenings);
    const chosen = await home(screenings, await isEnrolled(vault));
    if (chosen.what === "enrol") await enrol(vault);
    if (chosen.what === "pin") await changePin();
    if (chosen.what === "erased") localStorage.setItem(CLOSED, "yes");
    if (chosen.what === "lock" || chosen.what === "erased") return location.reload();
    if (chosen.what === "language") await chooseLanguage(true);
    if (chosen.what === "open") await screen(chosen.screening!);
    if (chosen.what === "add" && (await add(chosen.programme!))) return location.reload();
    if (chosen.what === "question") await held(() => question(reader, chosen.programme!));
    if (chosen.what === "new") {
      const opened = await details((screenings[0]?.number ?? 0) + 1);
      if (opened) {
        screenings.unshift(opened);
        await screen(opened);
      }
    }
  }
}

/** Does something in one release of the app and its models. */
async function held(what: () => Promise<void>): Promise<void> {
  const release = await hold();
  await what();
  await release();
}

void start();
