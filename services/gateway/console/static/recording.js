// Shows one text after the other, records it, plays it back and hands it over as a WAV file.
// The samples are packed here, so that the server needs no decoder for what browsers record.

const at = (id) => document.getElementById(id);
let lines = [], line = null, recorded = [], recording = false, microphone = null, take = null;

function say(problem) {
  at("problem").textContent = problem;
  at("problem").hidden = !problem;
}

async function ask(url, options) {
  const answer = await fetch(url, options).catch(() => { throw new Error("The server cannot be reached."); });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.problem || `The server refused (${answer.status}).`);
  return body;
}

function wav(blocks, rate) {
  const length = blocks.reduce((sum, block) => sum + block.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * length));
  const word = (offset, text) => [...text].forEach((letter, i) => view.setUint8(offset + i, letter.charCodeAt(0)));
  word(0, "RIFF"); view.setUint32(4, 36 + 2 * length, true); word(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  word(36, "data"); view.setUint32(40, 2 * length, true);
  let offset = 44;
  for (const block of blocks) for (const sample of block) {
    view.setInt16(offset, Math.max(-1, Math.min(1, sample)) * 32767, true);
    offset += 2;
  }
  return new Blob([view], { type: "audio/wav" });
}

async function openMicrophone() {
  if (!navigator.mediaDevices) throw new Error("The browser gives a microphone only to https pages and to localhost.");
  // What makes a telephone call clearer also swallows the ends of words.
  const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true };
  const stream = await navigator.mediaDevices.getUserMedia({ audio })
    .catch(() => { throw new Error("There is no microphone, or this page may not use it."); });
  const context = new AudioContext();
  await context.audioWorklet.addModule(new URL("recording-worklet.js", import.meta.url));
  const tap = new AudioWorkletNode(context, "tap");
  tap.port.onmessage = ({ data }) => {
    at("level").value = Math.max(...data.map(Math.abs));
    if (recording) recorded.push(data);
  };
  context.createMediaStreamSource(stream).connect(tap);
  return context;
}

function show(next) {
  line = next || null;
  take = null;
  at("text").textContent = line ? line.text : "Everything is recorded. Thank you.";
  at("text").lang = at("language").value;
  const done = lines.filter((each) => each.recorded).length;
  at("done").textContent = `${done} of ${lines.length} recorded.`;
  const audio = at("playback");
  audio.hidden = !(line && line.recorded);
  if (!audio.hidden) audio.src = `recording/${at("language").value}/${line.number}.wav`;
  buttons();
}

function following() {
  const place = lines.indexOf(line);
  const rest = [...lines.slice(place + 1), ...lines.slice(0, Math.max(place, 0))];
  return at("only-missing").checked ? rest.find((each) => !each.recorded) : rest[0];
}

function buttons() {
  at("record").disabled = recording || !line;
  at("stop").disabled = !recording;
  at("keep").disabled = recording || !take;
  at("skip").disabled = recording || !line;
}

function on(id, event, act) {
  at(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    say("");
    try { await act(); } catch (error) { say(error.message); }
    buttons();
  });
}

on("details", "submit", async () => {
  microphone = microphone || await openMicrophone();
  lines = (await ask(`recording/${at("language").value}`)).lines;
  at("studio").hidden = false;
  line = null;
  show(following());
});

on("record", "click", () => { recorded = []; recording = true; });

on("stop", "click", () => {
  recording = false;
  take = wav(recorded, microphone.sampleRate);
  at("playback").src = URL.createObjectURL(take);
  at("playback").hidden = false;
});

on("keep", "click", async () => {
  const consent = `agreed on the recording page, ${new Date().toISOString().slice(0, 10)}`;
  const body = new FormData();
  body.append("take", take, "take.wav");
  for (const [name, value] of [["token", at("token").value], ["pack", at("pack").value], ["speaker", at("speaker").value], ["consent", consent]]) body.append(name, value);
  at("keep").disabled = true;
  await ask(`recording/${at("language").value}/${line.number}`, { method: "POST", body });
  line.recorded = true;
  show(following());
});

on("skip", "click", () => show(following()));
on("language", "change", () => { at("studio").hidden = true; });
