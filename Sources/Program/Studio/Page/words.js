// What the page says, in English and Japanese; the browser's language decides.

const english = {
  skip: "Skip to the content", views: "Views", create: "Create", watch: "Watch",
  prompt: "What shall it be?", placeholder: "a smiling cat with hearts for eyes",
  examples: "Examples", paint: "Paint", painting: "Painting {0} of {1}", cancel: "Cancel",
  settings: "Settings", progress: "Progress", count: "Pictures", seed: "Seed", dice: "New seed",
  lock: "Keep this seed", truncation: "Variety", noise: "Pixel noise", noiseConst: "fixed",
  noiseRandom: "by seed", noiseNone: "none", enlarge: "Enlarge", smooth: "smooth", crisp: "crisp",
  open: "Open a picture painted here", orDrop: "or drop it anywhere: its settings come back.",
  invitation: "Type a few words and press Paint.", save: "Save PNG", link: "Copy link",
  again: "Keep the seed, change the words", more: "More like this", gallery: "Gallery",
  blend: "Blend with another…", share: "From one to the other", keep: "Keep",
  chooseOther: "Choose the other picture in the gallery.", blendLine: "{0} % of the way to “{1}”",
  dropHere: "Drop it: its settings come back.", linkCopied: "The link is copied.",
  linkShown: "The link is in the address bar.", restored: "Settings restored: “{0}”, seed {1}.",
  otherModel: "Painted by another model: the pixels will differ.",
  noRecord: "This picture carries no settings of nifty.",
  notText: "This picture was not painted from a text alone: it cannot be painted again here.",
  tooLarge: "This file is too large.",
  cancelled: "Cancelled.", busy: "The server is busy; trying again in {0} s.",
  unreachable: "The server does not answer. Is nifty studio still running?",
  badSeed: "A seed is a whole number from 0 to 18446744073709551615.",
  pictureOf: "{0}, seed {1}", settingsLine: "seed {0} · variety {1} · {2}",
  modelLine: "{0} · {1}² · {2} kimg", painted: "{0} pictures of “{1}” are ready.",
  cut: "The prompt is too long: the model read only its beginning.",
  runs: "Runs", show: "Show", run: "Run", state: "State", best: "Best", left: "Left",
  curves: "Curves", statistic: "Statistic", smoothing: "Smoothing", axis: "Across", hours: "hours",
  log: "Logarithmic", samples: "Samples", step: "Step", differences: "Options that differ",
  lastLines: "Last lines of the log", running: "running", stopped: "stopped",
  complete: "complete", damaged: "damaged", noRuns: "There are no runs in {0} yet.",
  noSamples: "No samples yet.", reals: "real images", noData: "Nothing recorded yet.",
  sameOptions: "The chosen runs have the same options.", warning: "1 warning", warnings: "{0} warnings",
  option: "Option", lost: "Connection lost; trying again.",
};

const japanese = {
  skip: "本文へ", views: "表示", create: "描く", watch: "見守る",
  prompt: "何を描きますか", placeholder: "目がハートの笑う猫",
  examples: "例", paint: "描く", painting: "{1}枚中{0}枚目", cancel: "中止",
  settings: "設定", progress: "進み具合", count: "枚数", seed: "シード", dice: "新しいシード",
  lock: "シードを固定", truncation: "多様さ", noise: "画素ノイズ", noiseConst: "固定",
  noiseRandom: "シード毎", noiseNone: "なし", enlarge: "拡大", smooth: "なめらか", crisp: "くっきり",
  open: "ここで描いた画像を開く", orDrop: "か、どこにでもドロップすると設定が戻ります。",
  invitation: "言葉を入れて「描く」を押してください。", save: "PNGを保存", link: "リンクをコピー",
  again: "シードはそのまま言葉を変える", more: "似た絵をもっと", gallery: "ギャラリー",
  blend: "別の絵と混ぜる…", share: "一方から他方へ", keep: "残す",
  chooseOther: "ギャラリーでもう一枚を選んでください。", blendLine: "「{1}」へ {0} %",
  dropHere: "ドロップすると設定が戻ります。", linkCopied: "リンクをコピーしました。",
  linkShown: "リンクはアドレスバーにあります。", restored: "設定を戻しました：「{0}」、シード {1}",
  otherModel: "別のモデルで描かれた画像です。同じ絵にはなりません。",
  noRecord: "この画像には nifty の設定がありません。",
  notText: "言葉だけから描かれた画像ではないため、ここでは描き直せません。",
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
  lastLines: "ログの最後", running: "学習中", stopped: "停止", complete: "完了", damaged: "破損",
  noRuns: "{0} にはまだ学習がありません。", noSamples: "サンプルはまだありません。",
  reals: "実画像", noData: "まだ記録がありません。",
  sameOptions: "選んだ学習の設定は同じです。", warning: "警告 1件", warnings: "警告 {0}件",
  option: "設定", lost: "接続が切れました。再接続しています。",
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
export function tell(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove("shown"), 5000);
}
