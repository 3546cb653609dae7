// The trial phones: what a person does with two phones, over the stand-in carrier's control interface.
"use strict";

const $ = (id) => document.getElementById(id);
const state = { typed: "", session: false, call: null, round: 0, sample: null, shown: {} };

async function ask(path, body) {
  const options = body instanceof FormData ? { method: "POST", body }
    : body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  let answer;
  try {
    const response = await fetch(`/phone/api/${path}`, options);
    answer = await response.json();
  } catch {
    answer = { error: "the stand-in carrier does not answer: is Jicho still running?" };
  }
  $("problem").hidden = !answer.error;
  $("problem").textContent = answer.error || "";
  return answer;
}

const me = () => $("msisdn").value.trim();
const show = (text) => { $("ussd-screen").textContent = text; };
const type = (text) => { state.typed = text; $("typed").textContent = text || "\u00a0"; };

async function ussd(body) {
  type("");
  const answer = await ask("ussd", { msisdn: me(), ...body });
  if (answer.error) { state.session = false; return show("Connection problem or invalid MMI code."); }
  state.session = !answer.ended;
  show(answer.screen);
}

function key(sign) {
  if (state.call && state.call.state === "active" && state.call.waits_for_keys) return callKey(sign);
  type(state.typed + sign);
}

async function callKey(sign) {
  if (sign !== "#") type(state.typed + sign);
  const enough = state.call.digits && state.typed.length >= state.call.digits;
  if (sign !== "#" && !enough) return;
  const digits = state.typed;
  type("");
  follow((await ask(`calls/${state.call.id}/digits`, { digits })).call);
}

// Plays what the carrier was told to play, one sentence after the other.
async function follow(call) {
  if (!call) return;
  const before = state.call;
  state.call = call;
  $("incoming-call").hidden = call.state === "ended" && call.plays.length === 0;
  $("answer").hidden = call.state !== "ringing";
  $("call-state").textContent = { ringing: "Jicho is calling …", active: "In the call", ended: "The call has ended" }[call.state];
  if (call.state === "ringing" || (before && before.id === call.id && before.round === call.round)) return;
  const player = $("player"), plays = [...call.plays];
  const next = () => {
    const url = plays.shift();
    if (!url) { $("call-audio").textContent = call.waits_for_keys ? "Press keys, then #." : ""; return; }
    if (url.startsWith("say:")) { $("call-audio").textContent = url.slice(4); return next(); }
    player.src = `/phone/api/audio?url=${encodeURIComponent(url)}`;
    player.onended = next;
    player.play().catch(() => { $("call-audio").textContent = "Press play to hear."; });
  };
  next();
}

function bubble(message) {
  const item = document.createElement("li"), body = message.message;
  if (message.sender === "person") item.className = "mine";
  const text = body.text?.body || body.interactive?.body?.text || body.interactive?.button_reply?.title || body.image?.caption || "";
  if (body.type === "image" && body.image.id) {
    const picture = document.createElement("img");
    picture.src = `/phone/api/media/${body.image.id}`;
    picture.alt = "the photograph sent";
    item.append(picture);
  }
  if (body.type === "audio") {
    const player = document.createElement("audio");
    player.controls = true;
    player.src = `/phone/api/audio?url=${encodeURIComponent(body.audio.link)}`;
    item.append(player);
  }
  item.append(text);
  const action = body.interactive?.action || {};
  const choices = (action.buttons || []).map((b) => b.reply).concat(...(action.sections || []).map((s) => s.rows));
  for (const choice of choices) {
    const button = document.createElement("button");
    button.textContent = choice.title;
    button.onclick = () => ask("whatsapp", { msisdn: me(), text: choice.title, choice: choice.id }).then(refresh);
    item.append(document.createElement("br"), button);
  }
  return item;
}

function line(message) {
  const item = document.createElement("li");
  if (message.sender === "person") item.className = "mine";
  item.textContent = message.text;
  return item;
}

function fill(list, messages, make) {
  const mark = `${me()}:${messages.length}`;
  if (state.shown[list] === mark) return;
  state.shown[list] = mark;
  $(list).replaceChildren(...messages.map(make));
  $(list).scrollTop = $(list).scrollHeight;
}

async function refresh() {
  const query = `?msisdn=${encodeURIComponent(me())}`;
  const [sms, chat, calls] = await Promise.all(["inbox", "whatsapp", "calls"].map((path) => ask(path + query)));
  if (sms.error || chat.error || calls.error) return;
  fill("sms-list", sms.messages, line);
  fill("whatsapp-log", chat.messages, bubble);
  const open = calls.calls.filter((call) => call.state !== "ended").at(-1);
  if (open && open.state === "ringing") follow(open);
  else if (!open && state.call && state.call.state === "ringing") follow({ ...state.call, state: "ended", plays: [] });
}

$("call-button").onclick = () => (state.call && state.call.state === "ringing") ? $("answer").click()
  : ussd(state.typed && state.typed !== document.body.dataset.code ? { text: state.typed.replace(/^\*384\*77\*?|#$/g, "") } : {});
$("send-key").onclick = () => state.session ? ussd({ input: state.typed }) : ussd({});
$("delete-key").onclick = () => type(state.typed.slice(0, -1));
$("end-button").onclick = () => { if (state.call && state.call.state === "active") $("hang-up").click(); state.session = false; type(""); show(`Press Call to dial ${document.body.dataset.code}`); };
$("keys").onclick = (event) => { if (event.target.dataset.key) key(event.target.dataset.key); };
$("answer").onclick = async () => follow((await ask(`calls/${state.call.id}/answer`, {})).call);
$("hang-up").onclick = async () => { $("player").pause(); follow({ ...(await ask(`calls/${state.call.id}/hangup`, {})).call, plays: [] }); };
$("ring-clinic").onclick = async () => { await ask("calls", { msisdn: me() }); show("The clinic rejects the call, which is free, and rings back."); refresh(); };
$("sms-form").onsubmit = async (event) => { event.preventDefault(); await ask("sms", { msisdn: me(), text: $("sms-text").value }); $("sms-text").value = ""; refresh(); };
$("whatsapp-form").onsubmit = async (event) => { event.preventDefault(); await ask("whatsapp", { msisdn: me(), text: $("whatsapp-text").value }); $("whatsapp-text").value = ""; refresh(); };
$("photo-file").onchange = () => { state.sample = null; $("sample-chosen").textContent = ""; };
for (const button of document.querySelectorAll(".sample")) {
  button.onclick = async () => {
    const seed = 1 + Math.floor(Math.random() * 900);
    const response = await fetch(`/phone/samples/${button.dataset.name}-${seed}.jpg`);
    state.sample = new File([await response.blob()], `${button.dataset.name}-${seed}.jpg`, { type: "image/jpeg" });
    $("photo-file").value = "";
    $("sample-chosen").textContent = state.sample.name;
  };
}
$("photo-form").onsubmit = async (event) => {
  event.preventDefault();
  const file = state.sample || $("photo-file").files[0];
  if (!file) { $("problem").hidden = false; $("problem").textContent = "Choose a photograph or a drawn eye first."; return; }
  const form = new FormData();
  form.append("msisdn", me());
  form.append("caption", $("photo-caption").value);
  form.append("via", $("photo-via").value);
  form.append("file", file, file.name);
  await ask("picture", form);
  refresh();
};
document.addEventListener("keydown", (event) => {
  if (["INPUT", "SELECT"].includes(event.target.tagName)) return;
  if (/^[0-9*#]$/.test(event.key)) key(event.key);
  if (event.key === "Enter" && event.target.tagName !== "BUTTON") $("send-key").click();
  if (event.key === "Backspace") $("delete-key").click();
});
for (const tab of document.querySelectorAll("[role=tab]")) {
  tab.onclick = () => {
    for (const other of document.querySelectorAll("[role=tab]")) other.setAttribute("aria-selected", String(other === tab));
    $("msisdn").value = tab.dataset.number;
    Object.assign(state, { session: false, call: null });
    $("incoming-call").hidden = true;
    type("");
    show(`Press Call to dial ${document.body.dataset.code}`);
    refresh();
  };
}
setInterval(refresh, 700);
refresh();
