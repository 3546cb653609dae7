// The trial phones: what a person does with two phones, over the stand-in carrier's control interface.
"use strict";

const $ = (id) => document.getElementById(id);
const CODE = document.body.dataset.code;
const POLL_MS = 700;
const AWAY = "The stand-in carrier does not answer: is Jicho still running?";

const state = {
  typed: "",
  ussd: {},        // per number: the screen shown, and whether a session is open
  call: null,      // the call that rings or is spoken
  keyed: false,    // a key was pressed, which silences the prompts
  silence: null,   // the timer that ends the wait for keys
  over: new Set(), // calls hung up here: the carrier may still think that they ring
  sample: null,    // the drawn eye chosen
  drawn: {},       // what each list shows, so that it is drawn again only when it changed
};

const me = () => $("msisdn").value.trim();

// ---- talking with the carrier

async function ask(path, body) {
  const options = { method: body ? "POST" : "GET" };
  if (body instanceof FormData) options.body = body;
  else if (body) Object.assign(options, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  try {
    return await (await fetch(`/phone/api/${path}`, options)).json();
  } catch {
    return { error: AWAY };
  }
}

/** Something a person does: its trouble stays on the page until the next thing is done. */
async function act(path, body) {
  const answer = await ask(path, body);
  complain(answer.error);
  refresh();
  return answer;
}

function complain(words) {
  $("problem").hidden = !words;
  $("problem").textContent = words || "";
}

// ---- USSD

function type(text) {
  state.typed = text;
  $("typed").textContent = text;
}

function drawUssd() {
  const { screen, open } = state.ussd[me()] || {};
  $("ussd-screen").textContent = screen || `Press Call to dial ${CODE}`;
  $("send-key").disabled = !open;
}

async function ussd(body) {
  const msisdn = me();
  type("");
  state.ussd[msisdn] = { screen: "USSD code running …", open: false };
  drawUssd();
  const answer = await act("ussd", { msisdn, ...body });
  state.ussd[msisdn] = answer.error
    ? { screen: "Connection problem or invalid MMI code.", open: false }
    : { screen: answer.screen, open: !answer.ended };
  drawUssd();
}

function callButton() {
  if (state.call?.state === "ringing") return answerCall();
  return ussd(state.typed ? { dial: state.typed } : {});
}

function sendKey() {
  if (state.ussd[me()]?.open) return ussd({ input: state.typed });
}

async function endButton() {
  type("");
  if (state.call) return hangUp();
  delete state.ussd[me()];
  drawUssd();
  await act("ussd/end", { msisdn: me() });
}

function key(sign) {
  if (state.call?.waits_for_keys) return callKey(sign);
  type(state.typed + sign);
}

// ---- a call

async function answerCall() {
  hear((await act(`calls/${state.call.id}/answer`, {})).call);
}

async function hangUp() {
  const { id } = state.call;
  state.over.add(id);
  dropCall();
  await act(`calls/${id}/hangup`, {});
}

/** Keys end with #, or when as many are there as are waited for. A key stops the prompt. */
async function callKey(sign) {
  state.keyed = true;
  $("player").pause();
  clearTimeout(state.silence);
  if (sign !== "#") type(state.typed + sign);
  const enough = state.call.digits && state.typed.length >= state.call.digits;
  if (sign !== "#" && !enough) return waitForKeys();
  const digits = state.typed;
  type("");
  hear((await act(`calls/${state.call.id}/digits`, { digits })).call);
}

function waitForKeys() {
  const { id, timeout_s: seconds } = state.call;
  state.silence = setTimeout(async () => hear((await act(`calls/${id}/silence`, {})).call), seconds * 1000);
}

function ring(call) {
  state.call = call;
  $("incoming-call").hidden = false;
  $("incoming-call").className = "";
  $("answer").hidden = false;
  $("player").hidden = true;
  $("call-state").textContent = "Jicho is calling …";
  $("call-audio").textContent = "Answer to hear it.";
}

/** Plays what the carrier was told to play, one sentence after the other, then waits for keys or ends. */
async function hear(call) {
  if (!call) return dropCall();
  clearTimeout(state.silence);
  Object.assign(state, { call, keyed: false });
  $("incoming-call").hidden = false;
  $("incoming-call").className = "talking";
  $("answer").hidden = true;
  $("call-state").textContent = "In the call";
  const here = () => state.call?.id === call.id && state.call.round === call.round && !state.keyed;
  for (const url of call.plays) {
    await (url.startsWith("say:") ? say(url.slice(4)) : play(url));
    if (!here()) return;
  }
  $("call-audio").textContent = call.waits_for_keys ? (call.digits ? "Press a key." : "Press keys, then #.") : "";
  if (call.waits_for_keys) waitForKeys();
  else if (isPutThrough(call)) goesOn(call);
  else dropCall();
}

function isPutThrough(call) {
  return call.state === "active" && Boolean(call.dials || call.of);
}

/** What became of a call that was put through to another phone, or of one that came that way. */
function goesOn(call) {
  if (!isPutThrough(state.call)) return;
  if (call.round !== state.call.round) return hear(call);
  if (call.state === "ended") return dropCall();
  state.call = call;
  $("call-audio").textContent = call.talks ? "You are talking to each other." : "Ringing a health worker …";
}

function play(url) {
  const player = $("player");
  $("call-audio").textContent = "";
  player.hidden = false;
  player.src = `/phone/api/audio?url=${encodeURIComponent(url)}`;
  return new Promise((done) => {
    player.onended = done;
    player.onerror = () => { complain("This part of the call cannot be heard."); done(); };
    player.play().catch((error) => {
      if (error.name === "NotAllowedError") $("call-audio").textContent = "Press play to hear.";
    });
  });
}

function say(words) {
  $("call-audio").textContent = words;
  return new Promise((done) => setTimeout(done, 1200));
}

function dropCall() {
  clearTimeout(state.silence);
  $("player").pause();
  state.call = null;
  $("incoming-call").hidden = true;
}

async function ringClinic() {
  await act("calls", { msisdn: me() });
  state.ussd[me()] = { screen: "The clinic rejects your call, which is free for you, and rings back.", open: false };
  drawUssd();
}

// ---- messages

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function smsLine(message) {
  return element("li", { className: message.sender === "person" ? "mine" : "" }, message.text);
}

function bubble(message) {
  const body = message.message, shown = element("li", { className: message.sender === "person" ? "mine" : "" });
  const picture = body.image || body.document;
  if (picture) shown.append(element("img", { src: `/phone/api/media/${picture.id}`, alt: "The photograph sent" }));
  if (body.audio) {
    const src = `/phone/api/audio?url=${encodeURIComponent(body.audio.link)}`;
    shown.append(element("audio", { controls: true, src }));
  }
  shown.append(body.text?.body ?? body.interactive?.body?.text ?? body.interactive?.button_reply?.title ?? picture?.caption ?? "");
  const choices = choicesOf(body.interactive?.action || {});
  if (choices.length) shown.append(element("div", { className: "choices" }, ...choices.map(choiceButton)));
  return shown;
}

function choicesOf(action) {
  const rows = (action.sections || []).flatMap((section) => section.rows);
  return (action.buttons || []).map((button) => button.reply).concat(rows);
}

function choiceButton({ id, title }) {
  return element("button", { textContent: title, onclick: () => act("whatsapp", { msisdn: me(), text: title, choice: id }) });
}

function draw(list, messages, make) {
  const mark = `${me()}:${messages.length}`;
  if (state.drawn[list] === mark) return;
  state.drawn[list] = mark;
  $(list).replaceChildren(...messages.map(make));
  const bottom = () => { $(list).scrollTop = $(list).scrollHeight; };
  bottom();
  for (const picture of $(list).querySelectorAll("img")) picture.onload = bottom;
}

async function refresh() {
  const whose = me(), query = `?msisdn=${encodeURIComponent(whose)}`;
  const [sms, chat, calls] = await Promise.all(["inbox", "whatsapp", "calls"].map((path) => ask(path + query)));
  const problem = sms.error || chat.error || calls.error;
  if (problem) return complain(problem);
  if ($("problem").textContent === AWAY) complain("");
  if (whose !== me()) return;
  draw("sms-list", sms.messages, smsLine);
  draw("whatsapp-log", chat.messages, bubble);
  const ringing = calls.calls.filter((call) => call.state === "ringing" && !state.over.has(call.id)).at(-1);
  if (ringing && !state.call) ring(ringing);
  else if (!ringing && state.call?.state === "ringing") dropCall();
  const mine = calls.calls.find((call) => call.id === state.call?.id);
  if (mine && $("player").paused) goesOn(mine);
}

// ---- photographs

async function chooseSample(button) {
  const name = `${button.dataset.name}-${1 + Math.floor(Math.random() * 900)}.jpg`;
  $("sample-chosen").textContent = "Drawing …";
  const response = await fetch(`/phone/samples/${name}`).catch(() => null);
  if (!response?.ok) return complain(AWAY);
  $("photo-file").value = "";
  markSample(button, new File([await response.blob()], name, { type: "image/jpeg" }));
}

function markSample(button, file) {
  state.sample = file;
  $("sample-chosen").textContent = file ? file.name : "";
  for (const each of document.querySelectorAll(".sample")) each.setAttribute("aria-pressed", String(each === button));
}

async function sendPhoto() {
  const file = state.sample || $("photo-file").files[0];
  if (!file) return complain("Choose a photograph or a drawn eye first.");
  const form = new FormData();
  form.append("msisdn", me());
  form.append("caption", $("photo-caption").value);
  form.append("via", $("photo-via").value);
  form.append("file", file, file.name);
  $("send-photo").disabled = true;
  await act("picture", form);
  $("send-photo").disabled = false;
}

// ---- hands

function changePhone(number) {
  if (number) $("msisdn").value = number;
  for (const tab of document.querySelectorAll(".who button")) tab.setAttribute("aria-pressed", String(tab.dataset.number === me()));
  dropCall();
  type("");
  drawUssd();
  refresh();
}

function onSubmit(form, action) {
  $(form).onsubmit = (event) => { event.preventDefault(); action(); };
}

function sendText(path, input) {
  const text = $(input).value;
  $(input).value = "";
  return act(path, { msisdn: me(), text });
}

function onKeyboard(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT"].includes(event.target.tagName)) return;
  if (/^[0-9*#]$/.test(event.key)) key(event.key);
  else if (event.key === "Backspace") type(state.typed.slice(0, -1));
  else if (event.key === "Enter" && event.target.tagName !== "BUTTON") state.ussd[me()]?.open ? sendKey() : callButton();
}

$("call-button").onclick = callButton;
$("send-key").onclick = sendKey;
$("delete-key").onclick = () => type(state.typed.slice(0, -1));
$("end-button").onclick = endButton;
$("answer").onclick = answerCall;
$("hang-up").onclick = hangUp;
$("ring-clinic").onclick = ringClinic;
for (const button of $("keys").children) button.onclick = () => key(button.dataset.key);
for (const tab of document.querySelectorAll(".who button")) tab.onclick = () => changePhone(tab.dataset.number);
for (const button of document.querySelectorAll(".sample")) button.onclick = () => chooseSample(button);
$("msisdn").onchange = () => changePhone();
$("photo-file").onchange = () => markSample(null, null);
onSubmit("sms-form", () => sendText("sms", "sms-text"));
onSubmit("whatsapp-form", () => sendText("whatsapp", "whatsapp-text"));
onSubmit("photo-form", sendPhoto);
document.addEventListener("keydown", onKeyboard);
setInterval(() => { if (!document.hidden) refresh(); }, POLL_MS);
changePhone();
