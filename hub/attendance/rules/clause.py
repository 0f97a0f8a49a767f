"""What each rule says and where it is written: shown beside the minutes that it decided (rule).

`law` names the state's act or rule that the towns' ordinances copy; the town's own number stands in its ordinance book.
給与法: 一般職の職員の給与に関する法律. 勤務時間法: 一般職の職員の勤務時間、休暇等に関する法律.
ガイドライン: 労働時間の適正な把握のために使用者が講ずべき措置に関するガイドライン(平成29年1月20日).
"""

import msgspec

_GUIDE = (
    "労働時間の適正な把握に関するガイドライン(平成29年1月20日)",
    "Guideline on recording working hours, 20 Jan 2017",
)
_ORDINANCE = ("町の給与条例・規則", "The town's salary ordinance and rules")


class Clause(msgspec.Struct, frozen=True):
    """A rule in Japanese and English: where it is written, and one plain sentence of what it says."""

    law_ja: str
    law_en: str
    says_ja: str
    says_en: str

    def law(self, language: str) -> str:
        """Where it is written."""
        return self.law_ja if language == "ja" else self.law_en

    def says(self, language: str) -> str:
        """What it says."""
        return self.says_ja if language == "ja" else self.says_en


def _pay(article: str, says_ja: str, says_en: str) -> Clause:
    number = article.replace("条", " ").replace("項", " ").replace("号", " ").split()
    places = (f"Salary Act art. {number[0]}", *(f"({part})" for part in number[1:]))
    return Clause(f"給与法{article}", "".join(places), says_ja, says_en)


def _guide(says_ja: str, says_en: str) -> Clause:
    return Clause(*_GUIDE, says_ja, says_en)


def _town(says_ja: str, says_en: str) -> Clause:
    return Clause(*_ORDINANCE, says_ja, says_en)


def _hours(article: str, says_ja: str, says_en: str) -> Clause:
    return Clause(f"勤務時間法{article}条", f"Working Hours Act art. {article}", says_ja, says_en)


# The rules that decide a piece of a day: every `Piece.rule` is a key here.
PIECES: dict[str, Clause] = {
    "regular": _hours("6", "正規の勤務時間です。給料に含まれます。", "Regular hours; the salary covers them."),
    "absent": _hours(
        "6", "正規の勤務時間ですが、在庁の記録がありません。", "Regular hours without a record of presence."
    ),
    "end_missing": _guide(
        "出勤か退勤の打刻がないため、在庁の時間が分かりません。推測はしません。",
        "A punch is missing, so the presence is not known; it is never guessed.",
    ),
    "leave": _hours("16", "休暇です。", "On leave."),
    "lunch": Clause(
        "労働基準法34条",
        "Labour Standards Act art. 34",
        "休憩時間は勤務時間に含まれません。",
        "The lunch break is not working time.",
    ),
    "evening_break": _town(
        "夕方の休憩は、そのあとに時間外勤務の命令がある日に取ります。",
        "The evening break is taken on days on which ordered work follows it.",
    ),
    "workday_day": _pay("16条1項1号", "勤務日の時間外勤務です(100分の125)。", "Overtime on a working day: 125/100."),
    "workday_night": _pay(
        "16条1項1号", "勤務日の22時から5時までの時間外勤務です(100分の150)。", "Overtime at night: 150/100."
    ),
    "day_off_day": _pay("16条1項2号", "週休日の勤務です(100分の135)。", "Work on a weekly day off: 135/100."),
    "day_off_night": _pay(
        "16条1項2号", "週休日の22時から5時までの勤務です(100分の160)。", "Work on a weekly day off at night: 160/100."
    ),
    "holiday_day": _pay(
        "17条",
        "休日の正規の勤務時間の勤務です。休日勤務手当(100分の135)を支給します。",
        "Regular hours worked on a holiday: 135/100.",
    ),
    "holiday_night": _pay(
        "17条",
        "休日の正規の勤務時間のうち22時から5時までの勤務です(100分の160)。",
        "Regular hours worked on a holiday at night: 160/100.",
    ),
    "holiday_overtime_day": _pay(
        "16条1項2号",
        "休日の正規の勤務時間外の勤務です(100分の135)。",
        "Overtime on a holiday outside its regular hours: 135/100.",
    ),
    "holiday_overtime_night": _pay(
        "16条1項2号",
        "休日の正規の勤務時間外、22時から5時までの勤務です(100分の160)。",
        "Overtime on a holiday at night: 160/100.",
    ),
    "holiday_lifted": _hours("14", "休日です。勤務を要しません。", "A holiday: duty is lifted."),
    "night_regular": _pay(
        "18条",
        "正規の勤務時間のうち22時から5時までの勤務です。100分の25を加えます。",
        "Regular hours at night: 25/100 more.",
    ),
    "past_sixty_day": _pay(
        "16条3項",
        "月60時間を超えた時間外勤務です(100分の150)。",
        "Overtime past 60 hours in the month: 150/100.",
    ),
    "past_sixty_night": _pay(
        "16条3項",
        "月60時間を超えた22時から5時までの時間外勤務です(100分の175)。",
        "Overtime at night past 60 hours in the month: 175/100.",
    ),
    "past_sixty_swap": Clause(
        "労働基準法37条、町の給与条例",
        "Labour Standards Act art. 37; the town's salary ordinance",
        "週休日の振替により週38時間45分を超えた勤務で、月60時間を超えたものです(100分の50)。",
        "Hours of a swap beyond the full week, past 60 hours in the month: 50/100.",
    ),
    "swap_week": Clause(
        "労働基準法37条、町の給与条例",
        "Labour Standards Act art. 37; the town's salary ordinance",
        "週休日の振替により、その週の勤務時間が38時間45分を超えました。100分の25を加えます。",
        "A swap took the week beyond 38:45 hours: 25/100 more.",
    ),
    "part_time_day": _pay(
        "16条2項",
        "短時間勤務の職員の時間外勤務で、1日7時間45分、週38時間45分に達するまでです(100分の100)。",
        "Part-time: extra hours until a full day and a full week: 100/100.",
    ),
    "part_time_night": _pay(
        "16条2項",
        "短時間勤務の職員の22時から5時までの時間外勤務で、1日7時間45分、週38時間45分に達するまでです(100分の125)。",
        "Part-time: extra hours at night until a full day and a full week: 125/100.",
    ),
    "unordered_before": _guide(
        "命令のない、始業前の在庁です。記録に残し、30分以上なら確かめます。",
        "Presence before the work begins, without an order: kept, and looked into from 30 minutes on.",
    ),
    "unordered_after": _guide(
        "命令のない在庁です。記録に残し、30分以上なら確かめます。",
        "Presence without an order: kept, and looked into from 30 minutes on.",
    ),
    "ordered_absent": _guide(
        "命令はありますが、在庁の記録がありません。命令と在庁の両方がある時間を支給します。",
        "Ordered, without a record of presence; what is both ordered and present is paid.",
    ),
    "away": _hours("6", "勤務時間外で、在庁の記録もありません。", "Outside the hours, and nobody was there."),
}

# The rules that decide about a day, a month or a year as a whole.
WHOLE: dict[str, Clause] = {
    "debounce": _guide(
        "5秒以内の二度の打刻は1回とみなし、両方とも記録に残します。",
        "Two taps within 5 seconds count as one; both are kept.",
    ),
    "repeat": _guide(
        "60秒以内の二度の打刻からは退勤をつくりません。", "Two taps within 60 seconds never make a going."
    ),
    "window": _guide(
        "打刻が1回だけの日は、3時から14時30分までなら出勤、ほかは退勤とみなします。",
        "A single tap is a coming from 03:00 to 14:30, else a going.",
    ),
    "day_line": _guide(
        "3時前の打刻は前の日の勤務です。命令が3時をまたぐ勤務は、始まった日の勤務です。",
        "A tap before 03:00 belongs to the day before; work ordered over 03:00 to the day it began on.",
    ),
    "correction": _guide(
        "打刻は変えません。申請し、別の人が承認した訂正を、打刻と並べて残します。",
        "A punch is never changed; a correction that another person approved stands beside it.",
    ),
    "swap": _hours(
        "8",
        "週休日の振替です。勤務する日は勤務日、代わりの日は週休日になります。",
        "A swapped day off: the day worked is a working day, the other one a weekly day off.",
    ),
    "substitute": _hours(
        "15",
        "休日の代休日です。勤務した休日は勤務日、代休日は休日になります。",
        "A substitute for a holiday: the holiday worked is a working day, the other day the holiday.",
    ),
    "sixty": _pay(
        "16条3項",
        "60時間は、まるめる前の分を、時間の順に数えます。ちょうど60時間までは超えません。",
        "The 60 hours are counted in minutes, in order of time, before rounding; 60:00 itself is not past.",
    ),
    "unit": _pay(
        "19条",
        "1時間あたりの額は、給料月額×12を年間の勤務時間で割り、50銭以上を切り上げます。",
        "The hourly unit: salary × 12 over the hours of the year, half a yen rounded up.",
    ),
    "rounding": Clause(
        "昭和63年3月14日基発第150号",
        "Notice Kihatsu 150 of 14 March 1988",
        "月と区分ごとに合計し、30分未満は切り捨て、30分以上は1時間とします。日ごとには切り捨てません。",
        "Summed by month and class; below 30 minutes is dropped, 30 and above is an hour; never cut by day.",
    ),
    "interval": Clause(
        "人事院通知 職職-78(勤務間のインターバル)",
        "National Personnel Authority, notice Shokushoku 78",
        "前の勤務の終わりから11時間を目標とします。知らせるだけで、ほかに影響しません。",
        "Eleven hours of rest are a target: told, and nothing else.",
    ),
    "gap": _guide(
        "命令のない在庁が30分以上あれば、理由を確かめます。",
        "Presence of 30 minutes or more without an order is looked into.",
    ),
    "limits": Clause(
        "人事院規則15-14第16条の2の2",
        "NPA Rule 15-14 art. 16-2-2",
        "時間外勤務の上限です。月45時間・年360時間、他律的な業務は月100時間未満・年720時間などです。",
        "Upper limits: 45 hours a month and 360 a year; where others direct the work below 100 and 720.",
    ),
}

CLAUSES: dict[str, Clause] = PIECES | WHOLE
