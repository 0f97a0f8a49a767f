// The terminal's page: shows each view that the agent pushes, says it in a tone, and sends what people press.
"use strict";

const WORDS = {
  ja: {
    idle: "カードをタッチしてください",
    clock_in: "出勤", clock_out: "退勤",
    greet_clock_in: "おはようございます", greet_clock_out: "おつかれさまでした",
    repeat: (t, d) => `${t}に${d}ずみです`,
    question: "退勤がまだです。出勤でよいですか？", yes: "はい", other: "退勤にする",
    since_in: (t) => `${t} に出勤しています`,
    unknown: "このカードは登録されていません", unknown_detail: "総務課へお知らせください",
    two_cards: "カードを1枚だけタッチしてください",
    refused_card: "このカードは打刻に使えません", refused_detail: "職員証を1枚だけタッチしてください",
    reader_fault: "読み取り装置を確認中です", fault_detail: (t) => `${t} から。続くときは総務課へ`,
    disk_full: "記録できません", disk_detail: "総務課へ連絡してください",
    lost: "画面を確認中です", lost_detail: "しばらくお待ちください",
    hub_away: (n) => `保存しました。つながり次第送信します (${n}件)`, hub_away_none: "役場につながっていません。打刻はできます",
    clock_unset: "時刻を確認中です", group: "次の打刻",
  },
  en: {
    idle: "Touch your card",
    clock_in: "Clock in", clock_out: "Clock out",
    greet_clock_in: "Good morning", greet_clock_out: "Well done today",
    repeat: (t, d) => `Already taken: ${d.toLowerCase()} ${t}`,
    question: "You have not clocked out. Clock in?", yes: "Yes", other: "Clock out",
    since_in: (t) => `Clocked in at ${t}`,
    unknown: "This card is not registered", unknown_detail: "Please tell the general affairs section",
    two_cards: "Touch one card only",
    refused_card: "This card cannot be used here", refused_detail: "Touch your staff card only",
    reader_fault: "Checking the card reader", fault_detail: (t) => `Since ${t}. If it lasts, call general affairs`,
    disk_full: "Cannot record", disk_detail: "Please call the general affairs section",
    lost: "Checking this screen", lost_detail: "One moment, please",
    hub_away: (n) => `Saved. It will be sent when connected (${n})`, hub_away_none: "Not connected to the hub. You can still clock in and out",
    clock_unset: "Checking the time", group: "The next tap",
  },
};
const MARKS = { accepted: "●", repeat: "▲", question: "▲", two_cards: "▲", refused_card: "■", unknown: "■",
  reader_fault: "■", disk_full: "■", lost: "■", idle: "" };
// Hertz and seconds, one pair a tone: rising, equal, falling, low.
const TONES = { accepted: [[660, .09], [990, .16]], repeat: [[600, .12], [0, .06], [600, .12]],
  question: [[600, .12], [0, .06], [600, .12]], unknown: [[600, .16], [330, .25]], refused_card: [[600, .16], [330, .25]],
  two_cards: [[220, .2]], disk_full: [[180, .9]] };

const lang = document.documentElement.lang === "en" ? "en" : "ja";
const words = WORDS[lang];
const byId = (id) => document.getElementById(id);
const zone = { timeZone: "Asia/Tokyo" };
const time = new Intl.DateTimeFormat(lang === "ja" ? "ja-JP" : "en-GB", { ...zone, hour: "numeric", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(lang === "ja" ? "ja-JP" : "en-GB", { ...zone, year: "numeric", month: "long", day: "numeric", weekday: "long" });

let view = { state: "idle", number: -1, now_ms: Date.now(), direction: "clock_in" };
let ahead_ms = 0;
let sound = null;

function write(id, text) {
  const node = byId(id);
  const filled = text || "\u00a0";
  if (node.textContent !== filled) node.textContent = filled;
}

function play(tones) {
  try {
    sound = sound || new AudioContext();
    let at = sound.currentTime;
    for (const [hertz, seconds] of tones || []) {
      if (hertz) {
        const tone = sound.createOscillator(), loud = sound.createGain();
        tone.frequency.value = hertz;
        loud.gain.setValueAtTime(.25, at);
        loud.gain.exponentialRampToValueAtTime(.001, at + seconds);
        tone.connect(loud).connect(sound.destination);
        tone.start(at);
        tone.stop(at + seconds);
      }
      at += seconds;
    }
  } catch { /* no sound device: the screen says it as well */ }
}

function texts(v) {
  const at = time.format(v.at_ms), since = time.format(v.since_ms), direction = words[v.direction];
  switch (v.state) {
    case "accepted": return [words["greet_" + v.direction], v.name, `${at} ${direction}`];
    case "repeat": return [words.repeat(since, direction), v.name, ""];
    case "question": return [words.question, v.name, words.since_in(since)];
    case "unknown": return [words.unknown, "", words.unknown_detail];
    case "refused_card": return [words.refused_card, "", words.refused_detail];
    case "reader_fault": return [words.reader_fault, "", words.fault_detail(since)];
    case "disk_full": return [words.disk_full, "", words.disk_detail];
    case "lost": return [words.lost, "", words.lost_detail];
    default: return [words[v.state], "", ""];
  }
}

function buttons(v) {
  const asks = v.state === "question";
  const [first, second] = [byId("first"), byId("second")];
  write("first", asks ? words.yes : words.clock_in);
  write("second", asks ? words.other : words.clock_out);
  for (const [button, direction] of [[first, "clock_in"], [second, "clock_out"]]) {
    if (asks) button.removeAttribute("aria-pressed");
    else button.setAttribute("aria-pressed", String(v.direction === direction));
    button.onclick = () => send(asks ? "/answer" : "/direction", direction);
  }
}

function show(v) {
  const fresh = v.number !== view.number;
  view = v;
  document.body.dataset.state = v.state;
  document.body.dataset.number = v.number;
  const [headline, name, detail] = texts(v);
  write("mark", MARKS[v.state]);
  write("headline", headline);
  write("name", name);
  write("detail", detail);
  buttons(v);
  write("hub-line", v.hub_away ? (v.waiting ? words.hub_away(v.waiting) : words.hub_away_none) : "");
  write("clock-line", v.clock_unset ? words.clock_unset : "");
  if (fresh) play(TONES[v.state]);
}

function send(path, direction) {
  fetch(path, { method: "POST", body: JSON.stringify({ direction }) }).catch(() => lost());
}

function lost() {
  show({ ...view, state: "lost", number: view.number });
}

function tick() {
  const now = Date.now() + ahead_ms;
  write("clock", time.format(now));
  write("date", day.format(now));
}

byId("buttons").setAttribute("aria-label", words.group);
const events = new EventSource("/events");
let heard = performance.now();
events.onmessage = (message) => {
  const v = JSON.parse(message.data);
  heard = performance.now();
  ahead_ms = v.now_ms - Date.now();
  show(v);
  tick();
};
setInterval(() => {
  tick();
  if (performance.now() - heard > 12000) lost();
}, 500);
tick();
