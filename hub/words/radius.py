"""Words of other makers' access points."""

WORDS: dict[str, tuple[str, str]] = {
    "radius": ("他社のアクセスポイント", "Other makers' access points"),
    "radius_about": (
        "他社のアクセスポイントの利用も、RADIUS の課金記録(accounting)を受け取って同じ集計に入れます。記録をディスクに書き終えてから応答するので、応答した記録は失われません。",
        "What other makers' access points are used for is counted with the rest, from their RADIUS accounting. A record is answered only when it is on disk, so none that was answered is lost.",
    ),
    "radius_once": (
        "「{name}」のトークンです。今だけ表示されます。控えたら、この画面を離れてください。",
        "This is the token of “{name}”. It is shown only now: keep it, then leave this page.",
    ),
    "radius_rest": ("FreeRADIUS に書く設定", "What FreeRADIUS is told"),
    "radius_rest_about": (
        "mods-available/rest に書いて有効にし、サイトの accounting に rest を加えます。",
        "Goes into mods-available/rest; enable it, and add rest to the site's accounting section.",
    ),
    "radius_all": ("登録されたもの", "Those that were added"),
    "radius_none": (
        "他社のアクセスポイントはまだ登録されていません。下で登録すると、記録を送るためのトークンが作られます。",
        "No other maker's access point has been added. One that is added below gets a token to send records with.",
    ),
    "radius_name": ("名前", "Name"),
    "radius_name_hint": (
        "例: 図書館のコントローラー。RADIUS サーバー 1 台に 1 つです。",
        "For example: controller of the library. One for each RADIUS server.",
    ),
    "radius_place": ("場所", "Place"),
    "radius_place_hint": (
        "集計に出る場所です。台帳と同じ書き方にしてください。",
        "The place it is counted under; write it as the inventory does.",
    ),
    "radius_heard": ("最後の記録", "Last heard"),
    "radius_never": ("まだ届いていません", "Not heard yet"),
    "radius_open": ("接続中", "Sessions now"),
    "radius_made": ("登録", "Added"),
    "radius_withdraw": ("取り消す", "Withdraw"),
    "radius_withdrawn": ("取り消し済み", "Withdrawn"),
    "radius_new": ("登録する", "Add one"),
    "radius_make": ("トークンを作る", "Make its token"),
    "radius_taken": (
        "その名前はもう使われています。別の名前にしてください。",
        "That name is taken; choose another.",
    ),
    "radius_no_name": ("名前を書いてください。", "Give it a name."),
    "radius_how": ("つなぎ方", "How it is joined"),
    "radius_how_rest": (
        "FreeRADIUS から送る: rlm_rest の accounting の宛先を {address} にし、トークンを Bearer または Basic のパスワードとして付けます。",
        "From FreeRADIUS: let rlm_rest send accounting to {address}, with the token as Bearer or as the password of Basic.",
    ),
    "radius_how_detail": (
        "ファイルから読む: FreeRADIUS の detail ファイルを machinaka-hub radius-detail で読み込みます。どこまで読んだかを覚えているので、止まっても二重に数えません。",
        "From a file: machinaka-hub radius-detail reads FreeRADIUS's detail file. It remembers how far, and counts nothing twice however it is stopped.",
    ),
    "radius_how_address": (
        "端末のアドレス(MAC)はその日の鍵による仮名にしてから保存し、利用者名は保存しません。",
        "A device's address is stored only as a pseudonym under the day's key; user names are not stored.",
    ),
}
