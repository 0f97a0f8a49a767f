"""The words of the tablet's pages, in both languages; furigana as in `wire/terms_text.py`."""

from dataclasses import dataclass

from edge_agent.tablet.choices import Language


@dataclass(frozen=True)
class Words:
    """Every sentence of the pages. Braces are filled in."""

    html_lang: str
    date: str
    weekdays: tuple[str, ...]
    # every page
    home: str
    town: str
    back: str
    read_aloud: str
    stop_reading: str
    hub_away: str
    battery_low: str
    # what went wrong
    not_kept: str
    not_kept_call: str
    gone: str
    gone_lead: str
    to_start: str
    # asking for help
    help: str
    help_note: str
    help_lead: str
    help_tablet: str
    help_papers: str
    help_daily: str
    help_other: str
    asked: str
    asked_lead: str
    asked_at: str
    asked_there: str
    asked_waits: str
    take_back: str
    taken_back: str
    taken_back_lead: str
    telephones: str
    telephones_lead: str
    # news
    news: str
    news_note: str
    news_none: str
    news_none_lead: str
    unread: str
    urgent: str
    published: str
    open_file: str
    not_there: str
    not_there_lead: str
    pictures: str
    page_of: str
    next_picture: str
    last_picture: str
    # surveys
    surveys: str
    surveys_note: str
    surveys_none: str
    surveys_none_lead: str
    survey_sent: str
    survey_open: str
    question_of: str
    choose_one: str
    choose_several: str
    write: str
    write_label: str
    further: str
    check: str
    check_lead: str
    passed_over: str
    change: str
    send: str
    thanks: str
    thanks_lead: str
    too_long: str
    until: str
    # data
    usage: str
    usage_note: str
    used: str
    included: str
    left: str
    over_by: str
    fine: str
    little: str
    over: str
    fine_lead: str
    little_lead: str
    over_lead: str
    wifi_used: str
    wifi_lead: str
    only_used: str
    clock_unset: str
    as_of: str
    counted_here: str
    # settings
    settings: str
    settings_note: str
    text_size: str
    normal: str
    large: str
    largest: str
    volume: str
    light: str
    louder: str
    quieter: str
    brighter: str
    darker: str
    percent: str
    language: str
    # locked
    locked: str
    locked_lead: str
    locked_call: str
    wiped: str
    wiped_lead: str
    identify: str


JA = Words(
    html_lang="ja",
    date="{month}月{day}日（{weekday}）",
    weekdays=("月", "火", "水", "木", "金", "土", "日"),
    home="はじめの画面",
    town="{town}のタブレット",
    back="もどる",
    read_aloud="よみあげ",
    stop_reading="よみあげを止める",
    hub_away="いま役場とつながっていません。見ることも書くこともできます。つながったときに届きます。",
    battery_low="電池が少なくなりました（{percent}％）。充電してください。",
    not_kept="いまは受け付けできませんでした。",
    not_kept_call="しばらくしてからもう一度押すか、役場へ電話してください。",
    gone="このページはありません。",
    gone_lead="終わったお知らせかもしれません。",
    to_start="はじめの画面へ",
    help="役場に相談",
    help_note="役場から連絡します",
    help_lead="どのようなことですか。1つ押すと、役場に「連絡してほしい」と伝わります。",
    help_tablet="タブレットの使い方",
    help_papers="手続きや書類",
    help_daily="くらしや体のこと",
    help_other="そのほか",
    asked="役場に連絡をお願いしました",
    asked_lead="役場の人から連絡します。このままお待ちください。",
    asked_at="{time} に受け付けました（{about}）。",
    asked_there="役場に届いています。",
    asked_waits="このタブレットに保存しました。つながりしだい役場に届きます。",
    take_back="お願いを取り消す",
    taken_back="お願いを取り消しました。",
    taken_back_lead="役場にも伝わります。",
    telephones="電話番号",
    telephones_lead="急ぐときは電話してください。",
    news="広報・お知らせ",
    news_note="新しいもの {count}件",
    news_none="お知らせはまだありません。",
    news_none_lead="役場から届くと、ここに並びます。",
    unread="新着",
    urgent="重要",
    published="{date}",
    open_file="「{name}」を開く",
    not_there="まだ届いていません。",
    not_there_lead="Wi-Fiにつながると届きます。もうしばらくお待ちください。",
    pictures="画像が{count}枚あります。",
    page_of="{count}枚のうち {number}枚目",
    next_picture="つぎの画像",
    last_picture="まえの画像",
    surveys="アンケート",
    surveys_note="まだのもの {count}件",
    surveys_none="アンケートはありません。",
    surveys_none_lead="役場から届くと、ここに並びます。",
    survey_sent="回答ずみ",
    survey_open="回答をお願いします",
    question_of="{count}問のうち {number}問目",
    choose_one="1つ選んでください。",
    choose_several="いくつでも選べます。",
    write="自由に書いてください。書かなくてもかまいません。",
    write_label="書くところ",
    further="つぎへ",
    check="回答をたしかめる",
    check_lead="これでよければ「送る」を押してください。",
    passed_over="（回答なし）",
    change="直す",
    send="送る",
    thanks="ありがとうございました。",
    thanks_lead="回答を受け付けました。",
    too_long="書いた文が長すぎて送れません。短くしてください。",
    until="{date} まで",
    usage="データ使用量",
    usage_note="のこり {left}",
    used="今月使った量",
    included="今月使える量",
    left="のこり",
    over_by="こえた量",
    fine="余裕があります",
    little="のこりが少なくなりました",
    over="使える量をこえました",
    fine_lead="このまま使えます。",
    little_lead="動画は、Wi-Fiにつないで見るのがおすすめです。",
    over_lead="料金が増えることがあります。動画などはWi-Fiにつないで見てください。",
    wifi_used="Wi-Fiで使った量",
    wifi_lead="Wi-Fiで使った量は、使える量に入りません。",
    only_used="使える量は、役場からまだ届いていません。",
    clock_unset="いま時刻を確認しています。終わると、今月の使用量が出ます。",
    as_of="{time} までの量です。",
    counted_here="このタブレットがはかった量です。料金は通信会社の量で決まります。",
    settings="設定",
    settings_note="文字・音・明るさ",
    text_size="文字の大きさ",
    normal="ふつう",
    large="大きい",
    largest="もっと大きい",
    volume="音の大きさ",
    light="画面の明るさ",
    louder="大きくする",
    quieter="小さくする",
    brighter="明るくする",
    darker="暗くする",
    percent="{percent}％",
    language="ことば / Language",
    locked="このタブレットは使えません",
    locked_lead="役場の人が止めています。",
    locked_call="役場へ電話してください。",
    wiped="このタブレットは消去されました",
    wiped_lead="役場へ返してください。確認番号 {code}",
    identify="このタブレットです",
)

EN = Words(
    html_lang="en",
    date="{weekday}, {month}/{day}",
    weekdays=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    home="Start page",
    town="Tablet of {town}",
    back="Back",
    read_aloud="Read aloud",
    stop_reading="Stop reading",
    hub_away="Not connected to the town hall now. You can read and write all the same: it arrives once connected.",
    battery_low="The battery is low ({percent} %). Please charge it.",
    not_kept="This could not be taken now.",
    not_kept_call="Please press again in a while, or call the town hall.",
    gone="There is no such page.",
    gone_lead="It may be a notice that is over.",
    to_start="To the start page",
    help="Ask the town hall",
    help_note="They will contact you",
    help_lead="What is it about? Press one, and the town hall is told that you would like to be contacted.",
    help_tablet="How to use the tablet",
    help_papers="Procedures and papers",
    help_daily="Daily life and health",
    help_other="Something else",
    asked="The town hall was asked to contact you",
    asked_lead="Somebody will contact you. There is nothing more to do.",
    asked_at="Taken at {time} ({about}).",
    asked_there="The town hall has it.",
    asked_waits="It is kept on this tablet and goes to the town hall once connected.",
    take_back="Take this back",
    taken_back="Your request was taken back.",
    taken_back_lead="The town hall is told as well.",
    telephones="Telephone numbers",
    telephones_lead="If it is urgent, please call.",
    news="News and notices",
    news_note="{count} new",
    news_none="There are no notices yet.",
    news_none_lead="Those from the town hall will be listed here.",
    unread="New",
    urgent="Important",
    published="{date}",
    open_file="Open {name}",
    not_there="It has not arrived yet.",
    not_there_lead="It comes once the tablet is on Wi-Fi. Please wait a little.",
    pictures="There are {count} pictures.",
    page_of="Picture {number} of {count}",
    next_picture="Next picture",
    last_picture="Picture before",
    surveys="Surveys",
    surveys_note="{count} to answer",
    surveys_none="There are no surveys.",
    surveys_none_lead="Those from the town hall will be listed here.",
    survey_sent="Answered",
    survey_open="Please answer",
    question_of="Question {number} of {count}",
    choose_one="Please choose one.",
    choose_several="Choose as many as you like.",
    write="Write what you like. You may leave it empty.",
    write_label="Your words",
    further="Next",
    check="Check your answers",
    check_lead="If this is right, press Send.",
    passed_over="(no answer)",
    change="Change",
    send="Send",
    thanks="Thank you very much.",
    thanks_lead="Your answers were taken.",
    too_long="The words are too long to be sent. Please make them shorter.",
    until="until {date}",
    usage="Data used",
    usage_note="{left} left",
    used="Used this month",
    included="Included this month",
    left="Left",
    over_by="Over by",
    fine="There is plenty left",
    little="There is little left",
    over="More than included was used",
    fine_lead="You can go on as you do.",
    little_lead="Films are best watched on Wi-Fi.",
    over_lead="It may cost more. Please use Wi-Fi for films and the like.",
    wifi_used="Used on Wi-Fi",
    wifi_lead="What is used on Wi-Fi does not count.",
    only_used="The town hall has not told yet how much is included.",
    clock_unset="The time is being checked. The month's figure appears when that is done.",
    as_of="As of {time}.",
    counted_here="Counted by this tablet. What is charged follows the telephone company's count.",
    settings="Settings",
    settings_note="Text, sound, light",
    text_size="Size of text",
    normal="Normal",
    large="Large",
    largest="Larger still",
    volume="Volume",
    light="Light of the screen",
    louder="Louder",
    quieter="Quieter",
    brighter="Brighter",
    darker="Darker",
    percent="{percent} %",
    language="ことば / Language",
    locked="This tablet cannot be used",
    locked_lead="The town hall has stopped it.",
    locked_call="Please call the town hall.",
    wiped="This tablet was erased",
    wiped_lead="Please return it to the town hall. Confirmation code {code}",
    identify="It is this tablet",
)

WORDS: dict[Language, Words] = {"ja": JA, "en": EN}
