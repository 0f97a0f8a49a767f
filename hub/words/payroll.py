"""Words of payroll files, and of punches that come as a file."""

WORDS: dict[str, tuple[str, str]] = {
    "payroll_title": ("給与ファイル", "Payroll files"),
    "payroll_choose": ("月とレイアウトを選ぶ", "Choose month and layout"),
    "payroll_month": ("対象年月", "Month"),
    "payroll_layout": ("レイアウト", "Layout"),
    "payroll_closed": ("締め済み", "closed"),
    "payroll_open": ("未締め", "not closed"),
    "payroll_own": ("町のレイアウト", "the town's own"),
    "payroll_show": ("見る", "Show"),
    "payroll_layouts": ("レイアウトの一覧", "Layouts"),
    "payroll_letters": ("外字の置き換え", "Letters that payrolls cannot take"),
    "payroll_preview": (
        "未締めです。いまの記録からの見込みで、まだ変わります。ファイルは見本として出せますが、記録には残りません。",
        "Not closed yet: this is what the records come to now, and it will change. A file of it is a sample and is "
        "not recorded.",
    ),
    "payroll_of_close": ("締め 第{version}版。ハッシュ", "Close, version {version}. Hash"),
    "payroll_later": (
        "この月にはあとから{n}つの版ができています。差額は次の月に調整として計上してあるので、このファイルは"
        "最初の版のままです(二重に払わないため)。",
        "{n} later versions of this month exist. Their differences are booked as adjustments in a later month, so "
        "this file stays as the first version has it (nothing is paid twice).",
    ),
    "payroll_no_names": (
        "氏名はここに保存していません。氏名の列は空です。給与側で machinaka-hub join-names を使って結びつけられます。",
        "Names are not kept here: their column is empty. The payroll's side can join them with machinaka-hub "
        "join-names.",
    ),
    "payroll_people": ("人数", "People"),
    "payroll_rows": ("行数", "Rows"),
    "payroll_total": ("支給額の計", "Total to pay"),
    "payroll_adjusted": ("前月までの調整", "Adjustments of earlier months"),
    "payroll_not_adjusting": (
        "このレイアウトには調整の列がありません。前月までの調整{n}件({yen})は給与側で手で入力してください。",
        "This layout has no column for adjustments: enter the {n} of earlier months ({yen}) by hand.",
    ),
    "payroll_left_out": (
        "このレイアウトのどの列にも入らない区分があります。レイアウトに足すか、給与側で手で入力してください:",
        "Some classes get into no column of this layout. Add them to it, or enter them by hand:",
    ),
    "payroll_problems": (
        "{n}か所が書けません。直すまでファイルは出しません。",
        "Cells that cannot be written: {n}. There is no file until they are put right.",
    ),
    "payroll_cannot": ("書けない所", "What cannot be written"),
    "payroll_number": ("職員番号", "Staff number"),
    "payroll_why": ("理由", "Why"),
    "payroll_cannot_letters": (
        "この文字コードでは書けない文字: {detail}",
        "letters that this encoding does not have: {detail}",
    ),
    "payroll_cannot_too_wide": ("列の幅({detail}バイト)より長い", "longer than the column ({detail} bytes)"),
    "payroll_cannot_unquoted": (
        "引用符なしのファイルに {detail} は書けない",
        "{detail} cannot stand in a file without quotes",
    ),
    "payroll_cannot_not_rounded": (
        "町の設定では時間数に丸めない。分の列(minutes)を使う{detail}",
        "the town does not round to whole hours: use minutes{detail}",
    ),
    "payroll_take": ("ファイルを出す", "Take the file"),
    "payroll_take_preview": ("見本のファイルを出す(未締め)", "Take a sample (not closed)"),
    "payroll_nobody": ("この月に勤務する職員がいません。", "Nobody works here in this month."),
    "payroll_first": ("最初の{n}行", "First {n} rows"),
    "payroll_sums": ("合計", "Sum"),
    "payroll_left": ("出したファイル", "Files that left the house"),
    "payroll_left_none": (
        "まだありません。締めた月のファイルを出すと、日時・担当・版・SHA-256がここに残ります。",
        "None yet. When a closed month's file is taken, when, who, version and SHA-256 stay here.",
    ),
    "payroll_when": ("日時", "When"),
    "payroll_who": ("担当", "By"),
    "payroll_again": ("もう一度出す", "Take it again"),
    "payroll_other_bytes": ("前に出したものと内容が違います", "not the same as the one before"),
    "payroll_why_cannot": (
        "書けない所があるので、ファイルを出していません。下の一覧を見てください。",
        "There is no file: something cannot be written. See the list below.",
    ),
    "payroll_why_otherwise": (
        "同じファイルはもう作れません。出したあとに氏名・所属・外字・レイアウトのどれかが変わりました。"
        "必要なら新しく出してください。",
        "The same file cannot be made any more: names, departments, letters or the layout have changed since. Take a "
        "new one if you need it.",
    ),
    "payroll_check_names": (
        "給与ファイルに書けない氏名が{n}人分あります(職員番号 {numbers})。",
        "Names that cannot be written into the payroll's file: {n} (staff numbers {numbers}).",
    ),
    # layouts
    "layouts_about": (
        "付属のレイアウトは写してから直します。先方の取込レイアウトと見比べ、1か月分を試しに取り込んでください。",
        "Copy a layout that came with the hub and change the copy. Compare it with the payroll's own import layout and "
        "try one month.",
    ),
    "layout_name": ("名前", "Name"),
    "layout_encoding": ("文字コード", "Encoding"),
    "layout_rows": ("行", "Rows"),
    "layout_rows_person": ("1人1行", "one a person"),
    "layout_rows_class": ("1人・1区分1行", "one a person and class"),
    "layout_rows_day": ("1人1日1行", "one a person and day"),
    "layout_from": ("作成", "Made by"),
    "layout_shipped": ("付属", "came with the hub"),
    "layout_broken": ("読めません", "cannot be read"),
    "layout_copy": ("写して直す", "Copy and change"),
    "layout_change": ("直す", "Change"),
    "layout_did_kept": ("レイアウトを保存しました。", "The layout is kept."),
    "layout_did_removed": ("レイアウトを削除しました。", "The layout is removed."),
    "layout_edit": ("レイアウトを直す", "Change a layout"),
    "layout_edit_hint": (
        "キーの意味は docs/payroll-layouts.ja.md にあります。書き換えると、下に最初の3行が出ます。",
        "docs/payroll-layouts.md tells what each key means. As you type, the first three rows appear below.",
    ),
    "layout_text": ("レイアウト(TOML)", "Layout (TOML)"),
    "layout_keep": ("保存する", "Keep"),
    "layout_look": ("確かめる", "Look"),
    "layout_remove": ("このレイアウトを削除する", "Remove this layout"),
    "layout_remove_hint": (
        "出したファイルの記録は残りますが、同じファイルを作り直すことはできなくなります。",
        "What is recorded of its files stays, but they cannot be made again.",
    ),
    "layout_first": ("最初の3行({month})", "First three rows ({month})"),
    "layout_sample": ("締めた月がまだないので、架空の例です。", "Made-up people: no month is closed yet."),
    "layout_raw": ("ファイルの中身(3人分)", "The file (three people)"),
    "layout_name_taken": (
        "{name} は付属のレイアウトの名前です。別の name にしてください。",
        "{name} is the name of a layout that came with the hub: choose another name.",
    ),
    "layout_wrong": (
        "{where}: 「{found}」となっています。{expected}。",
        "{where}: “{found}” stands there; expected {expected}.",
    ),
    "layout_wrong_nothing": ("{where}: {expected}。", "{where}: expected {expected}."),
    "layout_expect_length": ("{n}文字までにしてください", "at most {n} characters"),
    "layout_expect_toml": ("TOMLとして正しく書いてください", "valid TOML"),
    "layout_expect_needed": ("この項目が必要です", "this key, which is needed"),
    "layout_expect_text": ('1行の文字列("…")にしてください', 'a text ("…") on one line'),
    "layout_expect_shorter": ("{n}文字までにしてください", "at most {n} characters"),
    "layout_expect_one_of": ("次のどれかにしてください: {known}", "one of: {known}"),
    "layout_expect_flag": ("true か false にしてください", "true or false"),
    "layout_expect_number": ("1から{n}までの整数にしてください", "a whole number from 1 to {n}"),
    "layout_expect_table": ("表(キー = 値)にしてください", "a table of keys and values"),
    "layout_expect_known_key": ("知らないキーです。使えるキー: {known}", "a key that is known: {known}"),
    "layout_expect_not_in_fixed": ("固定長ではこのキーは使えません", "no such key in a file of fixed widths"),
    "layout_expect_not_in_xlsx": ("xlsxではこのキーは使えません", "no such key in xlsx"),
    "layout_expect_name": (
        "半角の小文字・数字・「-」「_」で40文字までにしてください",
        "up to 40 small letters, figures, - and _",
    ),
    "layout_expect_file_name": (
        "半角英数字と . _ - と {yyyymm} {version} で書き、.xlsx 以外にしてください",
        "letters, figures, . _ - and {yyyymm}, {version}, not ending in .xlsx",
    ),
    "layout_expect_file_name_xlsx": (
        "半角英数字と . _ - と {yyyymm} {version} で書き、.xlsx で終えてください",
        "letters, figures, . _ - and {yyyymm}, {version}, ending in .xlsx",
    ),
    "layout_expect_columns": ("[[column]] が1から{n}個必要です", "1 to {n} tables [[column]]"),
    "layout_expect_field_or_constant": (
        "field か constant のどちらか一つが必要です",
        "either field or constant, and not both",
    ),
    "layout_expect_not_in_constant": ("constant の列では使えません", "no such key beside constant"),
    "layout_expect_width_fixed": (
        "固定長の列には幅(バイト)が必要です",
        "a width in bytes, as the file is of fixed widths",
    ),
    "layout_expect_width": ("幅は{n}バイト以上必要です", "a width of at least {n} bytes"),
    "layout_expect_needs_width": ("width のある列だけで使えます", "a width beside it"),
    "layout_expect_fill_right": ('0埋めは align = "right" の列だけで使えます', 'align = "right" beside fill = "0"'),
    "layout_expect_not_classed": ("この列では区分を選べません", "no classes in this column"),
    "layout_expect_classes": ("次の区分の一覧にしてください: {known}", "a list of classes: {known}"),
    "layout_expect_once": ("同じ区分は1回だけにしてください", "each class once"),
    "layout_expect_no_formula": (
        "= + - @ で始めないでください(表計算ソフトが数式とみなします)",
        "a text that does not begin with = + - @ (a spreadsheet would take it for a formula)",
    ),
    "layout_expect_writable": (
        "文字コード {encoding} で書けない文字があります: {letters}",
        "letters that {encoding} has, unlike {letters}",
    ),
    "layout_expect_sums_place": (
        "合計の見出しは1列目に入るので、1列目を数でない列にしてください",
        "a first column that is no figure, for the text of the sums",
    ),
    "layout_expect_tail_place": ("{n}バイトまでにしてください", "at most {n} bytes"),
    # letters
    "letters_about": (
        "多くの給与システムはShift_JISの文字しか受け取れません(髙・﨑は書けますが、𠮷は書けません)。"
        "代わりに書く文字をここで決めます。",
        "Most payrolls take the letters of Shift_JIS only (髙 and 﨑 can be written, 𠮷 cannot). What is written "
        "instead is said here.",
    ),
    "letters_wrong": ("書けない氏名", "Names that cannot be written"),
    "letters_no_names": (
        "氏名を保存していないので、書けない氏名もありません。",
        "Names are not kept here, so none fails.",
    ),
    "letters_all_well": ("いまの氏名はすべて書けます。", "All names can be written."),
    "letters_text": ("氏名", "Name"),
    "letters_at": ("書けない文字", "Letters"),
    "letters_instead": ("代わりに書くもの", "Written instead"),
    "letters_kind": ("置き換える単位", "Instead of"),
    "letters_kind_letter": ("1文字(全員)", "a letter (for everybody)"),
    "letters_kind_number": ("この職員番号の氏名", "the name of a staff number"),
    "letters_what": ("文字または職員番号", "Letter or staff number"),
    "letters_what_hint": ("例: 𠮷、000123", "e.g. 𠮷, 000123"),
    "letters_written": ("代わりに書く文字", "Written instead"),
    "letters_written_hint": ("例: 吉。空欄なら置き換えをやめます", "e.g. 吉; empty: as it is again"),
    "letters_keep": ("保存する", "Keep"),
    "letters_kept": ("保存しました。", "Kept."),
    "letters_why_one_letter": ("文字は1文字だけ入れてください。", "Give one letter only."),
    "letters_why_number": ("この職員番号の職員はいません。", "Nobody has this staff number."),
    "letters_why_length": ("40文字までの1行にしてください。", "One line of at most 40 letters."),
    "letters_why_still": (
        "代わりの文字もShift_JISでは書けません。別の文字にしてください。",
        "What is to be written instead cannot be written either. Choose other letters.",
    ),
    # parallel run
    "compare_title": ("並行運用の突き合わせ", "Compare with the payroll"),
    "compare_hint": (
        "給与側の結果を、いま選んでいるレイアウトと同じ見出しのCSVかxlsxで選びます。1人ずつ、列ごとに比べます。"
        "ファイルは保存しません。",
        "Choose the payroll's own result as CSV or xlsx, with the headings of the layout chosen above. It is compared "
        "person by person and column by column, and not kept.",
    ),
    "compare_file": ("給与側の結果のファイル", "The payroll's result"),
    "compare_do": ("突き合わせる", "Compare"),
    "compare_people": ("比べた人数", "People compared"),
    "compare_columns": ("比べた列", "Columns compared"),
    "compare_differences": ("違うところ", "Differences"),
    "compare_ours": ("こちら", "Ours"),
    "compare_theirs": ("給与側", "The payroll's"),
    "compare_same": ("すべて同じです。", "Everything is the same."),
    "compare_only_ours": (
        "給与側のファイルにない職員が{n}人います: {numbers}",
        "Not in the payroll's file: {n} ({numbers})",
    ),
    "compare_only_theirs": (
        "こちらの月にいない職員番号が{n}件あります: {numbers}",
        "Staff numbers that are not in our month: {n} ({numbers})",
    ),
    "compare_looked_at": ("比べた列: {names}", "Columns compared: {names}"),
    "compare_back": ("給与ファイルに戻る", "Back to payroll files"),
    "compare_rows": (
        "1人1行のレイアウトを選んでください。{found}MBまでのファイルを比べられます。",
        "Choose a layout of one row a person. Files of up to {found} MB can be compared.",
    ),
    "compare_no_number": (
        "職員番号の列が見つかりません。1行目の見出しをレイアウトと同じにしてください({found}MBまで)。",
        "There is no column of staff numbers. Use the layout's headings in the first row (up to {found} MB).",
    ),
    "compare_no_figure": (
        "比べる数の列が見つかりません。1行目の見出しをレイアウトと同じにしてください({found}MBまで)。",
        "There is no column of figures. Use the layout's headings in the first row (up to {found} MB).",
    ),
    "compare_no_headings": (
        "1行目に見出しがありません({found}MBまで)。",
        "The first row has no headings (up to {found} MB).",
    ),
    # punches of other clocks
    "punch_import_link": ("ほかの打刻機のCSVを取り込む", "Take another clock's CSV in"),
    "punch_import": ("ほかの打刻機の打刻を取り込む", "Take punches of other clocks in"),
    "punch_about": (
        "ほかのタイムレコーダーのCSVから打刻を取り込みます。取り込む前に1行ずつの結果を確かめられます。打刻は"
        "書き換えられず、足されるだけです。",
        "Punches come in from another time clock's CSV. What each row comes to is shown first. No punch is ever "
        "changed: they are added.",
    ),
    "punch_total": ("取り込んだ打刻", "Punches taken in so far"),
    "punch_choose": ("ファイルを選ぶ", "Choose a file"),
    "punch_hint": (
        "職員番号(またはカードに書かれた番号)と日時の列が必要です。出勤・退勤の区別はなくてもかまいません。"
        "Shift_JISかUTF-8のCSV。",
        "It needs a column of staff numbers (or of what is printed on the cards) and the times; a direction may be "
        "missing. CSV in Shift_JIS or UTF-8.",
    ),
    "punch_file": ("打刻のCSVファイル", "CSV file of punches"),
    "punch_did": ("{n}件の打刻を取り込みました。", "{n} punches were taken in."),
    "punch_csv_only": (
        "Excelのファイルでは時刻が失われることがあります。CSVで保存し直してください。",
        "Times can get lost in an Excel file. Save it as CSV.",
    ),
    "punch_no_headings": ("ファイルの1行目が空です。", "The first row of the file is empty."),
    "punch_changed": (
        "確かめたあとに記録が変わりました。いまの内容で確かめ直してください。何も取り込んでいません。",
        "The records have changed since you looked. Look again; nothing was taken in.",
    ),
    "punch_columns": ("どの列が何か", "Which column is what"),
    "punch_columns_hint": (
        "見出しから推し量りました。違うときは直して「この列で確かめる」を押します。",
        "Guessed from the headings. Where that is wrong, choose and look again.",
    ),
    "punch_column_number": ("職員番号", "Staff number"),
    "punch_column_card": ("カードの番号", "Number on the card"),
    "punch_column_stamp": ("日時(1列)", "Day and time in one"),
    "punch_column_date": ("日付", "Day"),
    "punch_column_time": ("時刻", "Time"),
    "punch_column_clock_in": ("出勤の時刻", "Time of coming"),
    "punch_column_clock_out": ("退勤の時刻", "Time of going"),
    "punch_column_direction": ("出勤・退勤の区別", "Direction"),
    "punch_not_there": ("ありません", "not there"),
    "punch_look_again": ("この列で確かめる", "Look again"),
    "punch_leave_unknown": (
        "職員が見つからない行は取り込まない(ほかの行だけ取り込む)",
        "Leave out the rows of people who are not known here",
    ),
    "punch_needs_who": (
        "職員番号かカードの番号の列を選んでください。",
        "Choose the column of staff numbers or of cards.",
    ),
    "punch_needs_when": (
        "日時の列、または日付と時刻の列を選んでください。",
        "Choose the column of day and time, or those of days and of times.",
    ),
    "punch_problems": (
        "{rows}行のうち{n}行が正しくありません。何も取り込んでいません。",
        "Rows that are not right: {n} of {rows}. Nothing was taken in.",
    ),
    "punch_wrong_needed": ("空でない値", "something: it is empty"),
    "punch_wrong_day": ("日付(例: 2026-11-24、2026/11/24、令和8年11月24日)", "a day (e.g. 2026-11-24, 2026/11/24)"),
    "punch_wrong_time": (
        "時刻(例: 8:24、08:24:10、26:10)。日時なら 2026-11-24 08:24:10",
        "a time (e.g. 8:24, 08:24:10, 26:10), with a day: 2026-11-24 08:24:10",
    ),
    "punch_wrong_direction": ("出勤・退勤・in・out・なし のどれか", "in, out or none"),
    "punch_wrong_future": (
        "いままでの日時(打刻機の時計が進んでいます)",
        "a time that has been (the other clock is ahead)",
    ),
    "punch_wrong_too_old": (
        "5年以内の日時(打刻機の電池切れで2000年などに戻っていませんか)",
        "a time within five years (was the other clock's battery empty?)",
    ),
    "punch_wrong_not_employed": ("この職員が勤務している日", "a day on which this person works here"),
    "punch_wrong_unknown_number": (
        "登録されている職員番号(先頭の0も番号のうち)",
        "a staff number that is known here (leading noughts are part of it)",
    ),
    "punch_wrong_unknown_card": ("その日時に誰かが持っているカード", "a card that somebody held at that time"),
    "punch_wrong_before_in": (
        "出勤よりあとの時刻(翌日なら 25:10 のように書く)",
        "a time after that of coming (25:10 for the next morning)",
    ),
    "punch_rows": ("打刻ごとの結果", "What each punch comes to"),
    "punch_when": ("日時", "When"),
    "punch_fate": ("結果", "What becomes of it"),
    "punch_fate_new": ("新しい", "new"),
    "punch_fate_closed": ("締めた月(調整になる)", "of a closed month (becomes an adjustment)"),
    "punch_fate_there": ("すでにある", "there already"),
    "punch_fate_left_out": ("取り込まない", "left out"),
    "punch_closed_says": (
        "締めた月の打刻があります。締めた月は変えません。締めのページで新しい版にすると、差額が次の月に調整として"
        "計上されます。",
        "Some punches are of a closed month, which stays as it is: a new version on the page of the close books the "
        "difference in a later month.",
    ),
    "punch_nothing_new": ("新しい打刻はありません。", "There are no new punches."),
    "punch_direction_clock_in": ("出勤", "in"),
    "punch_direction_clock_out": ("退勤", "out"),
    "punch_direction_none": ("なし", "none"),
    # the audit log
    "did_payroll_export": ("給与ファイルを出した", "took a payroll file"),
    "did_payroll_preview": ("給与ファイルの見本を出した(未締め)", "took a sample of a payroll file (not closed)"),
    "did_payroll_layout": ("給与レイアウトを保存した", "kept a payroll layout"),
    "did_payroll_layout_removed": ("給与レイアウトを削除した", "removed a payroll layout"),
    "did_payroll_letter": ("外字の置き換えを決めた", "said what is written instead of a letter"),
    "did_import_punches": ("ほかの打刻機の打刻を取り込んだ", "took punches of other clocks in"),
}
