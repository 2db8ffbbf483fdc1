// What the page says, in English and Japanese; the browser's language decides.

const english = {
  skip: "Skip to the content", views: "Views", create: "Create", watch: "Watch",
  prompt: "What shall it be?", placeholder: "a smiling cat with hearts for eyes",
  examples: "Examples", paint: "Paint", painting: "Painting {0} of {1}", cancel: "Cancel",
  settings: "Settings", progress: "Progress", count: "Pictures", seed: "Seed", dice: "New seed",
  lock: "Keep this seed", truncation: "Variety", noise: "Pixel noise", noiseConst: "fixed",
  noiseRandom: "by seed", noiseNone: "none", enlarge: "Enlarge", smooth: "smooth", crisp: "crisp",
  open: "Open a picture",
  orDrop: "or drop it anywhere: one painted here brings its settings back, any other is painted after.",
  source: "The picture to paint after", wordsAgain: "Use words again", freedom: "Freedom",
  after: "after {0}", sending: "Sending “{0}”…", sent: "Press Paint to paint after “{0}”.",
  invitation: "Type a few words and press Paint.", save: "Save PNG", link: "Copy link",
  again: "Keep the seed, change the words", more: "More like this", gallery: "Gallery",
  blend: "Blend with another…", share: "From one to the other", keep: "Keep",
  mix: "Mix styles with another…", firstLayer: "First layer", lastLayer: "Last layer",
  mixLine: "layers {0} of seed {1}",
  loop: "Walk through seeds", film: "Keep as a loop", once: "Keep one way", filming: "Painting {0} frames…",
  filmed: "The animation is in the gallery.", saveFilm: "Save WebP", filmLine: "loop of {0} frames",
  onceLine: "one way in {0} frames",
  nearest: "Nearest training pictures", searching: "Looking through {0} training pictures…",
  nearestLine: "Of {0} training pictures these are most alike to CLIP; 1 is the same picture.",
  alikeness: "{0} alike",
  onlyWords: "Only pictures painted from words can be blended.",
  chooseOther: "Choose the other picture in the gallery.", blendLine: "{0} % of the way to “{1}”",
  dropHere: "Drop it: its settings come back, or it is painted after.", linkCopied: "The link is copied.",
  linkShown: "The link is in the address bar.", restored: "Settings restored: “{0}”, seed {1}.",
  otherModel: "Painted by another model: the pixels will differ.",
  unreadable: "“{0}” cannot be read.",
  tooLarge: "This file is too large.",
  cancelled: "Cancelled.", busy: "The server is busy; trying again in {0} s.",
  unreachable: "The server does not answer. Is nifty studio still running?",
  badSeed: "A seed is a whole number from 0 to 18446744073709551615.",
  pictureOf: "{0}, seed {1}", settingsLine: "seed {0} · variety {1} · {2}",
  modelLine: "{0} · {1}² · {2} kimg", painted: "Pictures of “{1}” that are ready: {0}.",
  cut: "The prompt is too long: the model read only its beginning.",
  runs: "Runs", show: "Show", run: "Run", state: "State", best: "Best", left: "Left",
  curves: "Curves", statistic: "Statistic", smoothing: "Smoothing", axis: "Across", hours: "hours",
  log: "Logarithmic", samples: "Samples", step: "Step", differences: "Options that differ",
  lastLines: "Last lines of the log", running: "running", stopped: "stopped",
  finished: "finished", collapsed: "collapsed", converged: "converged", damaged: "damaged", noRuns: "There are no runs in {0} yet.",
  noSamples: "No samples yet.", reals: "real images", noData: "Nothing recorded yet.",
  sameOptions: "The chosen runs have the same options.", warning: "1 warning", warnings: "{0} warnings",
  rollback: "1 rollback", rollbacks: "{0} rollbacks",
  compare: "Compare two snapshots", leftPicture: "Left", rightPicture: "Right",
  wipe: "How much of the left one is shown", data: "The data behind",
  setLine: "{0} images of {1}² · {2} captions", leftOut: "Left out: {0}", nothingLeftOut: "Nothing was left out.",
  moreSets: "and {0} more sets", noCaption: "no caption", noSets: "The run's options name no data.",
  option: "Option", lost: "Connection lost; trying again.",
  works: "Data jobs", workName: "Data", workLeftOut: "Left out", rate: "Rate", laion: "download", pack: "pack",
  atWork: "at work", perSecond: "{0} / s",
};

const japanese = {
  skip: "本文へ", views: "表示", create: "描く", watch: "見守る",
  prompt: "何を描きますか", placeholder: "目がハートの笑う猫",
  examples: "例", paint: "描く", painting: "{1}枚中{0}枚目", cancel: "中止",
  settings: "設定", progress: "進み具合", count: "枚数", seed: "シード", dice: "新しいシード",
  lock: "シードを固定", truncation: "多様さ", noise: "画素ノイズ", noiseConst: "固定",
  noiseRandom: "シード毎", noiseNone: "なし", enlarge: "拡大", smooth: "なめらか", crisp: "くっきり",
  open: "画像を開く",
  orDrop: "か、どこにでもドロップしてください。ここで描いた画像なら設定が戻り、ほかの画像なら手本になります。",
  source: "手本の画像", wordsAgain: "言葉に戻す", freedom: "自由さ",
  after: "{0} を手本に", sending: "「{0}」を送っています…", sent: "「描く」を押すと「{0}」を手本に描きます。",
  invitation: "言葉を入れて「描く」を押してください。", save: "PNGを保存", link: "リンクをコピー",
  again: "シードはそのまま言葉を変える", more: "似た絵をもっと", gallery: "ギャラリー",
  blend: "別の絵と混ぜる…", share: "一方から他方へ", keep: "残す",
  mix: "別の絵とスタイルを混ぜる…", firstLayer: "最初の層", lastLayer: "最後の層",
  mixLine: "層 {0} はシード {1}",
  loop: "シードを巡る", film: "ループとして残す", once: "片道で残す", filming: "{0}コマを描いています…",
  filmed: "アニメーションをギャラリーに入れました。", saveFilm: "WebPを保存", filmLine: "{0}コマのループ",
  onceLine: "片道{0}コマ",
  nearest: "最も近い学習画像", searching: "学習画像{0}枚を調べています…",
  nearestLine: "学習画像{0}枚のうち、CLIPで最も似ているもの。1は同じ画像です。",
  alikeness: "類似度 {0}",
  onlyWords: "混ぜられるのは言葉から描いた絵だけです。",
  chooseOther: "ギャラリーでもう一枚を選んでください。", blendLine: "「{1}」へ {0} %",
  dropHere: "ドロップすると設定が戻るか、手本になります。", linkCopied: "リンクをコピーしました。",
  linkShown: "リンクはアドレスバーにあります。", restored: "設定を戻しました：「{0}」、シード {1}",
  otherModel: "別のモデルで描かれた画像です。同じ絵にはなりません。",
  unreadable: "「{0}」を読めません。",
  tooLarge: "ファイルが大きすぎます。",
  cancelled: "中止しました。", busy: "混み合っています。{0}秒後にもう一度試します。",
  unreachable: "サーバーが応答しません。nifty studio は動いていますか。",
  badSeed: "シードは 0 から 18446744073709551615 までの整数です。",
  pictureOf: "{0}、シード {1}", settingsLine: "シード {0} ・ 多様さ {1} ・ {2}",
  modelLine: "{0} ・ {1}² ・ {2} kimg", painted: "「{1}」を{0}枚描きました。",
  cut: "文が長すぎるため、最初の部分だけが読まれました。",
  runs: "学習", show: "表示", run: "学習", state: "状態", best: "最良", left: "残り",
  curves: "曲線", statistic: "統計値", smoothing: "平滑化", axis: "横軸", hours: "時間",
  log: "対数", samples: "サンプル", step: "時点", differences: "異なる設定",
  lastLines: "ログの最後", running: "学習中", stopped: "停止", finished: "終了",
  collapsed: "崩壊", converged: "収束", damaged: "破損",
  noRuns: "{0} にはまだ学習がありません。", noSamples: "サンプルはまだありません。",
  reals: "実画像", noData: "まだ記録がありません。",
  sameOptions: "選んだ学習の設定は同じです。", warning: "警告 1件", warnings: "警告 {0}件",
  rollback: "巻き戻し 1回", rollbacks: "巻き戻し {0}回",
  compare: "二つの時点を比べる", leftPicture: "左", rightPicture: "右",
  wipe: "左の画像をどこまで見せるか", data: "学習データ",
  setLine: "{1}² の画像 {0}枚 ・ キャプション {2}件", leftOut: "除外：{0}", nothingLeftOut: "除外はありません。",
  moreSets: "ほか{0}セット", noCaption: "キャプションなし", noSets: "設定にデータの記載がありません。",
  option: "設定", lost: "接続が切れました。再接続しています。",
  works: "準備中のデータ", workName: "データ", workLeftOut: "除外", rate: "速さ", laion: "ダウンロード", pack: "パック",
  atWork: "実行中", perSecond: "毎秒 {0}",
};

export const isJapanese = (navigator.languages?.[0] ?? navigator.language ?? "en").startsWith("ja");
const words = isJapanese ? japanese : english;

/** A sentence with its blanks {0}, {1} filled in. */
export function say(key, ...values) {
  return (words[key] ?? key).replace(/\{(\d)\}/g, (_, index) => values[index]);
}

/** Puts the words into the page. */
export function translate() {
  document.documentElement.lang = isJapanese ? "ja" : "en";
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = say(element.dataset.word);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
    if (element.matches("button")) element.title = say(element.dataset.label);
  }
}

/** Takes the line away: it is no longer true. */
export function hush() { document.getElementById("toast").classList.remove("shown"); }

let hiding;

/** One line for people, at the bottom; screen readers say it. */
export function tell(text, milliseconds = 5000) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove("shown"), milliseconds);
}
