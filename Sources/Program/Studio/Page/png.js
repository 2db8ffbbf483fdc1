// The settings that a PNG file painted by nifty carries.

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** The record in a PNG file's iTXt chunk "nifty"; null if there is none. */
export function readRecord(buffer) {
  const bytes = new Uint8Array(buffer);
  if (!signature.every((byte, index) => bytes[index] === byte)) return null;
  const view = new DataView(buffer);
  const latin = new TextDecoder("latin1");
  for (let position = 8; position + 12 <= bytes.length;) {
    const length = view.getUint32(position);
    if (length > bytes.length - position - 12) return null;
    const type = latin.decode(bytes.subarray(position + 4, position + 8));
    if (type === "IEND") return null;
    if (type === "iTXt") {
      const data = bytes.subarray(position + 8, position + 8 + length);
      const record = parse(data, latin);
      if (record) return record;
    }
    position += length + 12;
  }
  return null;
}

function parse(data, latin) {
  // keyword, 0, compressed, method, language, 0, translated keyword, 0, text
  const first = data.indexOf(0);
  if (first < 0 || latin.decode(data.subarray(0, first)) !== "nifty" || data[first + 1] !== 0) return null;
  const language = data.indexOf(0, first + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) return null;
  try {
    const record = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data.subarray(translated + 1)));
    return record !== null && typeof record === "object" ? record : null;
  } catch {
    return null;
  }
}
