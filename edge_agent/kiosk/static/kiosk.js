// The terminal's page: shows each view that the agent pushes, says it in a tone, and sends what people press.
"use strict";

const WORDS = {
  ja: {
    starting: "準備しています",
    idle: "カードをタッチしてください",
    clock_in: "出勤", clock_out: "退勤",
    greet_clock_in: "おはようございます", greet_clock_out: "おつかれさまでした",
    repeat: (t, d) => `${t ? t + "に" : "すでに"}${d}ずみです`,
    question: "退勤がまだです。出勤でよいですか？", yes: "はい", other: "退勤にする",
    since_in: (t) => t && `${t}に出勤しています`,
    unknown: "このカードは登録されていません", number: (n) => `番号 ${n}`,
    unknown_detail: (who) => `${who}へ番号をお知らせください`,
    two_cards: "カードを1枚だけタッチしてください",
    refused_card: "このカードは打刻に使えません", refused_detail: "職員証を1枚だけタッチしてください",
    lost_card: "このカードは使えません",
    reader_fault: "読み取り装置を確認中です", fault_detail: (t, who) => `${t && `${t}から。`}続くときは${who}へ`,
    disk_full: "記録できません", disk_detail: (who) => `${who}へ連絡してください`,
    who: (contact) => `総務課${contact && `（${contact}）`}`,
    lost: "画面を確認中です", lost_detail: "しばらくお待ちください",
    hub_away: (n) => `保存しました。つながり次第送信します (${n}件)`, hub_away_none: "役場につながっていません。打刻はできます",
    identify: "この端末です",
    clock_unset: "時刻を確認中です", group: "次の打刻",
    benefit: "給付を使う", benefit_choose: "何を使いますか", benefit_none: "使える給付がまだ届いていません", offers: "給付", how_many: "数",
    next: "つぎへ", leave: "やめる", done: "おわる", undo: "取り消す", fewer: "1つ減らす", more: "1つ増やす",
    amount: (n, unit) => `${n}${unit}`, left: (n, unit) => `のこり ${n}${unit}`,
    taken: (n, unit) => `${n}${unit}使いました`, back: (n, unit) => `${n}${unit}を取り消しました`,
    refused: {
      none_left: ["のこりがありません", () => ""],
      not_enough: ["足りません", (n, unit) => `ここで使えるのは ${n}${unit} です`],
      expired: ["今は使えません", (n, unit, who) => `役場との確認が必要です。${who}へ`],
      clock: ["今は使えません", (n, unit, who) => `時刻を確認できません。${who}へ`],
      full: ["記録できません", (n, unit, who) => `使われていません。${who}へ`],
      too_late: ["もう取り消せません", (n, unit, who) => `${who}へお知らせください`],
      unknown: ["このカードでは使えません", (n, unit, who) => `${who}へお知らせください`],
    },
  },
  en: {
    starting: "Getting ready",
    idle: "Touch your card",
    clock_in: "Clock in", clock_out: "Clock out",
    greet_clock_in: "Welcome", greet_clock_out: "Thank you for today",
    repeat: (t, d) => `Already taken: ${d.toLowerCase()} ${t}`.trim(),
    question: "You have not clocked out. Clock in?", yes: "Yes", other: "Clock out",
    since_in: (t) => t && `Clocked in at ${t}`,
    unknown: "This card is not registered", number: (n) => `No. ${n}`,
    unknown_detail: (who) => `Please tell ${who} this number`,
    two_cards: "Touch one card only",
    refused_card: "This card cannot be used here", refused_detail: "Touch your staff card only",
    lost_card: "This card has been stopped",
    reader_fault: "Checking the card reader", fault_detail: (t, who) => `${t && `Since ${t}. `}If it lasts, call ${who}`,
    disk_full: "Cannot record", disk_detail: (who) => `Please call ${who}`,
    who: (contact) => `General Affairs${contact && ` (${contact})`}`,
    lost: "Checking this screen", lost_detail: "One moment, please",
    hub_away: (n) => `Saved. It will be sent when connected (${n})`, hub_away_none: "Not connected to the hub. You can still clock in and out",
    identify: "It is this device",
    clock_unset: "Checking the time", group: "The next tap",
    benefit: "Use a benefit", benefit_choose: "What do you want to use?", benefit_none: "No benefits have arrived here yet", offers: "Benefits", how_many: "How many",
    next: "Next", leave: "Cancel", done: "Done", undo: "Undo", fewer: "One less", more: "One more",
    amount: (n, unit) => `${n} ${unit}`, left: (n, unit) => `Left: ${n} ${unit}`,
    taken: (n, unit) => `Used: ${n} ${unit}`, back: (n, unit) => `Given back: ${n} ${unit}`,
    refused: {
      none_left: ["Nothing is left", () => ""],
      not_enough: ["Not enough is left", (n, unit) => `You can use ${n} ${unit} here`],
      expired: ["Cannot be used now", (n, unit, who) => `The town hall must be asked first. Please call ${who}`],
      clock: ["Cannot be used now", (n, unit, who) => `The time is not known. Please call ${who}`],
      full: ["Cannot record", (n, unit, who) => `Nothing was used. Please call ${who}`],
      too_late: ["It is too late to undo", (n, unit, who) => `Please tell ${who}`],
      unknown: ["This card cannot be used for it", (n, unit, who) => `Please tell ${who}`],
    },
  },
};
// A locked device speaks to whoever has found it: in both languages, whatever it is set to.
const LOCKED = {
  locked: ["この端末は使えません", "This device is locked", (who, en) => `拾った方は${who}へ / Please call ${en}`],
  wiped: ["登録されていない端末です", "Not enrolled", (who, en) => `${who}へ / Please call ${en}`],
};
const MARKS = { accepted: "●", repeat: "▲", question: "▲", two_cards: "▲", refused_card: "■", lost_card: "■", unknown: "■",
  reader_fault: "■", disk_full: "■", lost: "■", identify: "●", locked: "■", wiped: "■",
  benefit_taken: "●", benefit_refused: "■", benefit_back: "▲", benefit_choose: "", benefit_tap: "" };
// Views of benefits: a person is in the middle of something.
const AT_DESK = ["benefit_choose", "benefit_tap", "benefit_taken", "benefit_refused", "benefit_back"];
const MOST_UNITS = 10;
// Hertz and seconds, one pair a tone: rising, equal, falling, low.
const TONES = { accepted: [[660, .09], [990, .16]], repeat: [[600, .12], [0, .06], [600, .12]],
  question: [[600, .12], [0, .06], [600, .12]], unknown: [[600, .16], [330, .25]], refused_card: [[600, .16], [330, .25]],
  lost_card: [[600, .16], [330, .25]],
  benefit_taken: [[660, .09], [990, .16]], benefit_refused: [[600, .16], [330, .25]], benefit_back: [[600, .12], [0, .06], [600, .12]],
  locked: [[600, .16], [330, .25]], wiped: [[600, .16], [330, .25]],
  identify: Array.from({ length: 8 }, () => [[880, .2], [0, .2]]).flat(),
  two_cards: [[220, .2]], disk_full: [[180, .9]] };

const lang = document.documentElement.lang === "en" ? "en" : "ja";
const words = WORDS[lang];
const byId = (id) => document.getElementById(id);
const zone = { timeZone: "Asia/Tokyo" };
const time = new Intl.DateTimeFormat(lang === "ja" ? "ja-JP" : "en-GB", { ...zone, hour: "numeric", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(lang === "ja" ? "ja-JP" : "en-GB", { ...zone, year: "numeric", month: "long", day: "numeric", weekday: "long" });

const sound = openSound();
let view = { state: "starting", number: -1, now_ms: Date.now(), direction: "clock_in" };
let ahead_ms = 0, volume = 1;

function write(id, text) {
  const node = byId(id);
  const filled = text || "\u00a0";
  if (node.textContent !== filled) node.textContent = filled;
}

// Without a sound device, or before the browser allows sound, the screen says it alone.
function openSound() {
  try { return new AudioContext(); } catch { return null; }
}

function play(tones, number) {
  if (!sound || !tones || !volume) return;
  if (sound.state === "running") ring(tones);
  // Not yet allowed, or asleep: a tone that comes late would be taken for another tap's.
  else sound.resume().then(() => { if (number === view.number) ring(tones); }, () => {});
}

function ring(tones) {
  let at = sound.currentTime;
  for (const [hertz, seconds] of tones) {
    if (hertz) {
      const tone = sound.createOscillator(), loud = sound.createGain();
      tone.frequency.value = hertz;
      loud.gain.setValueAtTime(.25 * volume, at);
      loud.gain.exponentialRampToValueAtTime(.001, at + seconds);
      tone.connect(loud).connect(sound.destination);
      tone.start(at);
      tone.stop(at + seconds);
    }
    at += seconds;
  }
}

// A clock that stands before this page was written is wrong for certain, and its time is not shown.
const EARLIEST_MS = Date.UTC(2026, 0, 1);

function clock(ms, unknown = "") {
  return ms < EARLIEST_MS ? unknown : time.format(ms);
}

function texts(v) {
  const at = clock(v.at_ms), since = clock(v.since_ms), direction = words[v.direction];
  const who = words.who(document.documentElement.dataset.contact);
  switch (v.state) {
    case "accepted": return [words["greet_" + v.direction], v.name, `${at} ${direction}`.trim()];
    case "repeat": return [words.repeat(since, direction), v.name, ""];
    case "question": return [words.question, v.name, words.since_in(since)];
    case "unknown": return [words.unknown, words.number(v.reference), words.unknown_detail(who)];
    case "lost_card": return [words.lost_card, words.number(v.reference), words.unknown_detail(who)];
    case "refused_card": return [words.refused_card, "", words.refused_detail];
    case "reader_fault": return [words.reader_fault, "", words.fault_detail(since, who)];
    case "disk_full": return [words.disk_full, "", words.disk_detail(who)];
    case "identify": return [words.identify, v.name, ""];
    case "locked": case "wiped": {
      const [ja, en, call] = LOCKED[v.state];
      const contact = document.documentElement.dataset.contact, code = v.state === "wiped" && v.name;
      const ours = (v.state === "locked" && v.name) || contact;
      const [byJa, byEn] = [WORDS.ja.who(ours), WORDS.en.who(ours)];
      return [ja, code ? `${en} · ${code}` : en, call(byJa, byEn)];
    }
    case "lost": return [words.lost, "", words.lost_detail];
    case "benefit_choose": return [v.offers.length ? words.benefit_choose : words.benefit_none, "", ""];
    case "benefit_tap": return [words.idle, v.name, words.amount(v.units, v.unit)];
    case "benefit_taken": return [words.taken(v.units, v.unit), v.name, words.left(v.left, v.unit)];
    case "benefit_back": return [words.back(v.units, v.unit), v.name, words.left(v.left, v.unit)];
    case "benefit_refused": {
      const [headline, detail] = words.refused[v.reason] || words.refused.unknown;
      return [headline, v.name, detail(v.left, v.unit, who)];
    }
    default: return [words[v.state], "", ""];
  }
}

function wish(does, more = {}) {
  return send("/benefit", { number: view.number, do: does, ...more });
}

// What can be done at the desk: the first button goes on or back, the second ends it.
function deskButtons(v) {
  const [first, second] = [byId("first"), byId("second")];
  const chooses = v.state === "benefit_choose", taken = v.state === "benefit_taken";
  first.toggleAttribute("data-off", !(taken || (chooses && v.offers.length)));
  for (const button of [first, second]) button.removeAttribute("aria-pressed");
  write("first", chooses ? words.next : words.undo);
  write("second", chooses || v.state === "benefit_tap" ? words.leave : words.done);
  first.disabled = chooses && !chosen;
  first.onclick = () => (chooses ? wish("choose", { code: chosen, units }) : wish("take_back"));
  second.onclick = () => wish("leave");
}

let chosen = "", units = 1;

function openDesk(v) {
  chosen = v.offers.length === 1 ? v.offers[0].code : "";
  units = 1;
  byId("offers").replaceChildren(...v.offers.map((offer) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = offer.name;
    button.dataset.code = offer.code;
    button.onclick = () => { chosen = offer.code; showDesk(v); };
    return button;
  }));
}

function showDesk(v) {
  const offer = v.offers.find((one) => one.code === chosen);
  for (const button of byId("offers").children) button.setAttribute("aria-pressed", String(button.dataset.code === chosen));
  byId("units").hidden = !v.offers.length;
  write("count", words.amount(units, offer ? offer.unit : ""));
  byId("fewer").disabled = units <= 1;
  byId("more").disabled = units >= MOST_UNITS;
  byId("first").disabled = !chosen;
}

for (const [id, step] of [["fewer", -1], ["more", 1]]) {
  byId(id).onclick = () => { units = Math.min(MOST_UNITS, Math.max(1, units + step)); showDesk(view); };
  byId(id).setAttribute("aria-label", words[id]);
}
byId("offers").setAttribute("aria-label", words.offers);
byId("units").setAttribute("aria-label", words.how_many);
byId("benefit").textContent = words.benefit;
byId("benefit").onclick = () => wish("open");

function buttons(v) {
  if (AT_DESK.includes(v.state)) return deskButtons(v);
  byId("first").removeAttribute("data-off");
  byId("first").disabled = false;
  const asks = v.state === "question";
  const [first, second] = [byId("first"), byId("second")];
  write("first", asks ? words.yes : words.clock_in);
  write("second", asks ? words.other : words.clock_out);
  for (const [button, direction] of [[first, "clock_in"], [second, "clock_out"]]) {
    if (asks) button.removeAttribute("aria-pressed");
    else button.setAttribute("aria-pressed", String(v.direction === direction));
    button.onclick = () => (asks ? send("/answer", { number: v.number, direction }) : send("/direction", { direction }));
  }
}

function show(v) {
  const fresh = v.number !== view.number;
  view = v;
  document.body.dataset.state = v.state;
  document.body.dataset.number = v.number;
  const [headline, name, detail] = texts(v);
  byId("mark").textContent = MARKS[v.state] || "";
  write("headline", headline);
  write("name", name);
  write("detail", detail);
  buttons(v);
  byId("benefit").hidden = !v.benefits;
  byId("desk").hidden = v.state !== "benefit_choose";
  if (v.state === "benefit_choose") {
    if (fresh) openDesk(v);
    showDesk(v);
  }
  write("hub-line", v.hub_away ? (v.waiting ? words.hub_away(v.waiting) : words.hub_away_none) : "");
  write("clock-line", v.clock_unset ? words.clock_unset : "");
  if (fresh) play(TONES[v.state], v.number);
}

function send(path, body) {
  fetch(path, { method: "POST", body: JSON.stringify(body) }).catch(() => lost());
}

function lost() {
  show({ ...view, state: "lost", number: view.number });
}

function tick() {
  const now = Date.now() + ahead_ms;
  write("clock", clock(now, "--:--"));
  write("date", now < EARLIEST_MS ? "" : day.format(now));
}

byId("buttons").setAttribute("aria-label", words.group);
const events = new EventSource("/events");
let heard = performance.now();
events.onmessage = (message) => {
  const v = JSON.parse(message.data);
  heard = performance.now();
  // The words of this page were ordered otherwise meanwhile; never while somebody reads what a tap brought up.
  if (v.page !== document.querySelector("main").dataset.page && !(v.state in MARKS)) return location.reload();
  ahead_ms = v.now_ms - Date.now();
  volume = v.volume / 100;
  show(v);
  tick();
};
// An agent that is away takes no card: the page must not ask for one.
events.onerror = lost;
setInterval(() => {
  tick();
  if (performance.now() - heard > 12000) lost();
}, 500);
tick();
