"""Words of people, roles, the second factor and the audit log."""

WORDS: dict[str, tuple[str, str]] = {
    # the code
    "code_title": ("確認コード", "Your code"),
    "code_about": (
        "{name} さん、スマートフォンの認証アプリに出ている6桁の数字を入れてください。",
        "{name}, please type the six digits that your phone’s authenticator shows.",
    ),
    "code": ("確認コード(6桁)", "Code (six digits)"),
    "code_hint": ("30秒ごとに変わります。一度使った数字は使えません", "It changes every 30 seconds; each works once"),
    "wrong_code": (
        "確認コードが違うか、もう使われています。次の数字を待って入れてください。",
        "The code is not right, or was used. Wait for the next one.",
    ),
    "code_lost": ("スマートフォンが手元にないとき", "Without your phone"),
    "recovery_code": ("予備コード", "Recovery code"),
    "recovery_code_hint": ("控えてある16文字のうちの1つ", "One of those you kept (16 characters)"),
    "code_lost_about": (
        "予備コードもないときは、ほかの管理者に確認コードの取り消しを頼んでください。",
        "Without one of those, ask another administrator to reset your second factor.",
    ),
    "code_other_person": ("別の人としてサインインする", "Sign in as somebody else"),
    # setting it up
    "second_factor": ("2段階認証", "Second factor"),
    "set_up_title": ("2段階認証の設定", "Set up a second factor"),
    "set_up_about": (
        "サインインには、パスワードのほかにスマートフォンの確認コードが要ります。いま一度だけ設定してください。",
        "Signing in takes your password and a code from your phone. Please set it up now, once.",
    ),
    "set_up_about_own": (
        "設定すると、サインインにスマートフォンの確認コードが要るようになります。ほかの場所のサインインは終わります。",
        "From then on signing in takes a code from your phone. Sign-ins elsewhere end.",
    ),
    "set_up_1": ("認証アプリを用意する", "Have an authenticator"),
    "set_up_1_about": (
        "スマートフォンの「Google Authenticator」「Microsoft Authenticator」などのアプリ、またはiPhoneの「パスワード」アプリが使えます。",
        "Google Authenticator, Microsoft Authenticator and the like, or the Passwords app of an iPhone.",
    ),
    "set_up_2": ("アプリで読み取る", "Scan this with it"),
    "set_up_qr": (
        "認証アプリで読み取るQRコード。読み取れないときは下の文字を入れます",
        "QR code for the authenticator; the text below does the same",
    ),
    "set_up_by_hand": ("読み取れないとき(文字で入れる)", "Cannot scan it? Type it instead"),
    "set_up_by_hand_about": (
        "アプリで「セットアップキーを入力」を選び、種類は「時間ベース」にして、次の文字を入れます。",
        "Choose “enter a setup key” and “time based”, and type this.",
    ),
    "set_up_3": ("出た6桁の数字を入れる", "Type the six digits it shows"),
    "set_up_hint": (
        "合わないときは、スマートフォンの時刻が自動設定か確かめてください",
        "If it is refused, see that your phone sets its clock by itself",
    ),
    "set_up_done": ("設定する", "Set up"),
    "recovery_title": ("予備コード", "Recovery codes"),
    "recovery_done": ("2段階認証を設定しました。", "Your second factor is set up."),
    "recovery_about": (
        "スマートフォンをなくしたとき、確認コードの代わりに使えます。1つにつき一度だけです。もう一度表示することはできません。",
        "Each of these works once in place of a code, should you lose your phone. They are not shown again.",
    ),
    "recovery_keep": (
        "印刷するか書き写して、鍵のかかる所に置いてください。",
        "Print them or write them down, and lock them away.",
    ),
    "recovery_go_on": ("控えました。先へ進む", "I have kept them: go on"),
    "recovery_left": ("予備コードは残り{n}個", "{n} recovery codes left"),
    "recovery_few": (
        "予備コードが少なくなりました。作り直してください。",
        "Few recovery codes are left. Make new ones.",
    ),
    "new_recovery": ("予備コードを作り直す", "New recovery codes"),
    "code_on": ("設定ずみ", "set up"),
    "code_none": ("なし", "none"),
    "code_next_time": ("次のサインインで設定", "at the next sign-in"),
    "code_none_about": (
        "設定すると、パスワードを知られても他人はサインインできません。",
        "With it, nobody signs in as you by knowing your password.",
    ),
    "code_other_phone": ("別のスマートフォンに替える", "Change to another phone"),
    "code_off": ("2段階認証をやめる", "Turn it off"),
    "code_is_owed": ("あなたの役割では2段階認証をやめられません。", "Your role cannot do without a second factor."),
    # proving once more
    "confirm_title": ("ご本人の確認", "Is it still you?"),
    "confirm_about": (
        "大切な操作です。席を離れている間にほかの人がしないよう、もう一度確かめます。このあと、いまの操作に進みます。",
        "This matters, so we ask once more that it is you, not somebody at your desk. Then it goes on.",
    ),
    "confirm_go_on": ("確認して進む", "Confirm and go on"),
    "confirm_leave": ("やめて今日のページへ", "Leave it: to Today"),
    # roles
    "roles": ("役割とできること", "Roles, and what they may do"),
    "role_owes_code": ("2段階認証が必要です。", "Needs a second factor."),
    "role_about_administrator": (
        "すべてのことができます。人を加え、役割を決めます。",
        "Everything; adds people and gives roles.",
    ),
    "role_about_it": (
        "端末の登録・設定・指示・配信・通知・鍵。人の追加と役割のほかはすべて。",
        "Enrols, configures and commands devices, rolls out, alerts, keys: all but people and roles.",
    ),
    "role_about_clerk": (
        "職員とカード、勤怠の入力、月の締め、給与ファイルを受け持ちます。",
        "Keeps staff and cards, attendance, the month’s close and payroll files.",
    ),
    "role_about_approver": (
        "時間外勤務や打刻修正など、ほかの人の申請と配信を承認します。",
        "Approves others’ requests (overtime, corrections) and roll-outs.",
    ),
    "role_about_finance": (
        "端末の状態と料金を見て、給与ファイルを受け取ります。打刻は見ません。",
        "Looks at devices and charges, and takes payroll files; not at punches.",
    ),
    "role_about_support": (
        "住民に貸した端末と物品の台帳を受け持ちます。打刻は見ません。",
        "Takes care of residents’ devices and of the inventory, not of punches.",
    ),
    "role_about_auditor": (
        "見るだけです。操作の記録を確かめ、保存できます。",
        "Looks only; checks and exports the audit log.",
    ),
    "role_about_staff": (
        "自分の勤怠だけを見て、申請します。",
        "Looks at their own hours only, and requests.",
    ),
    "change_role": ("役割を変える", "Change the role"),
    "sure_role": ("{name} さんを{role}にしますか？", "Change the role of {name} to {role}?"),
    "sure_role_about": (
        "いまのサインインはすべて終わり、次のサインインから変わります。",
        "Their sign-ins end now; the new role holds from the next one.",
    ),
    "sure_role_yes": ("役割を変える", "Change it"),
    "sure_reset_code": ("{name} さんの2段階認証を取り消しますか？", "Reset the second factor of {name}?"),
    "sure_reset_code_about": (
        "必ず本人と顔を合わせるか、電話で確かめてください。いまのサインインはすべて終わり、次のサインインはパスワードだけで入って設定し直します。",
        "See or ring the person first. Their sign-ins end; the next one takes the password alone and sets it up anew.",
    ),
    "sure_reset_code_yes": ("取り消す", "Reset it"),
    "sure_no": ("やめる", "Leave it"),
    "reset_code": ("2段階認証を取り消す(紛失)", "Reset the second factor (phone lost)"),
    "not_own_code": (
        "自分の2段階認証は、自分の設定で替えてください。",
        "Change your own second factor in your settings.",
    ),
    "last_administrator": (
        "最後の管理者です。先にほかの人を管理者にしてください。",
        "This is the last administrator. Make somebody else one first.",
    ),
    "done_role": ("{name} さんを{role}にしました。", "The role of {name} is {role} now."),
    "done_reset_code": ("{name} さんの2段階認証を取り消しました。", "The second factor of {name} was reset."),
    # what the audit log says
    "did_code_failed": ("確認コードを間違えた", "gave a wrong code"),
    "did_recovery_code": ("予備コードを使った", "used a recovery code"),
    "did_proof_failed": ("本人の確認に失敗した", "failed to prove who it is"),
    "did_set_up_code": ("2段階認証を設定した", "set up a second factor"),
    "did_new_recovery": ("予備コードを作り直した", "made new recovery codes"),
    "did_code_off": ("2段階認証をやめた", "turned the second factor off"),
    "did_card_key": ("カードの鍵を変えた", "changed a key of cards"),
    "did_reset_code": ("2段階認証を取り消した", "reset a second factor"),
    "did_change_role": ("役割を変えた", "changed a role"),
    "did_export_audit": ("操作の記録を保存した", "exported the audit log"),
    # whether the log is whole
    "audit_whole_title": ("記録が書き換えられていないか", "Is the log as it was written?"),
    "audit_whole_about": (
        "1件ずつ前の記録につながっていて、書き換えや抜き取りがあると分かります。",
        "Each entry is joined to the one before it; a change or a gap shows.",
    ),
    "audit_check": ("確かめる", "Check it"),
    "audit_export": ("すべて保存(JSON)", "Save all (JSON)"),
    "audit_is_whole": (
        "{n}件すべて、書かれたときのままです(控え{anchors}件と一致)。",
        "All {n} entries are as they were written ({anchors} anchors agree).",
    ),
    "audit_broken": ("{n}番目の記録が書かれたときのままではありません。", "Entry {n} is not as it was written."),
    "audit_unreadable": ("控えを確かめられません: {why}", "An anchor cannot be checked: {why}"),
    "broken_edited": ("内容が変わっています。", "What it says was changed."),
    "broken_unlinked": ("前の記録につながっていません。", "It does not follow the one before it."),
    "broken_missing": ("抜けていて、{n}番が代わりにあります。", "It is missing; entry {n} stands in its place."),
    "broken_other": (
        "控えと違います。{n}番より後は作り直されたおそれがあります。",
        "It is not the one that was anchored; all after entry {n} may be new.",
    ),
    "broken_cut": (
        "ここから後がなくなっています。{n}番までの控えがあります。",
        "From here on all is missing; entry {n} was anchored.",
    ),
    "anchor_title": ("最新の控え", "Newest anchor"),
    "anchor_qr": ("控えのQRコード", "QR code of the anchor"),
    "anchor_seq": ("記録の番号", "Entry"),
    "anchor_about": (
        "この控えを印刷するか文書管理システムに保存すると、あとで記録全体が作り直されても分かります。毎日1つ、ハブの anchors フォルダーにも残ります。",
        "Printed or filed elsewhere, this shows later whether the whole log was made anew. One a day is kept in the hub’s folder “anchors” too.",
    ),
    "anchor_none": (
        "控えは1日に1つ作られます。最初のものは、ハブが動き始めて10分以内にできます。",
        "One anchor is made a day; the first within ten minutes of the hub’s start.",
    ),
}
