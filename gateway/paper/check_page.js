"use strict";
(() => {
  const D = JSON.parse(document.getElementById("data").textContent);
  const LANGUAGES = { en: "English", fr: "Français", ar: "العربية" };
  const KINDS = ["standard", "retrospective", "reexport", "simplified"];
  const STANDINGS = ["valid", "not_yet", "partly_used", "used", "under_query", "refused", "ending", "cancelled", "replaced", "expired"];
  const PROVES = [0, 2, 4];
  const ATTESTERS = ["AUTHORITY", "GATEWAY"];
  const METHODS = { "-7": "ECDSA", "-257": "RSASSA-PKCS1-v1_5" };
  const DAY = 86400000, MINUTE = 60000, SKEW = 5 * MINUTE;
  const FIRST_DAY = Date.UTC(1900, 0, 1), FIRST_MINUTE = Date.UTC(2000, 0, 1);
  let language = D.language;
  let shown = null;

  class Damaged extends Error {}
  const need = (holds) => { if (!holds) throw new Damaged(); };

  // --- base32 and CBOR: one spelling only, as gateway/paper/cbor.py reads it ---
  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  function decoded(text) {
    const out = [];
    let bits = 0, held = 0;
    for (const letter of text) {
      held = (held << 5) | LETTERS.indexOf(letter);
      bits += 5;
      if (bits >= 8) { bits -= 8; out.push((held >> bits) & 255); held &= (1 << bits) - 1; }
    }
    need(bits < 5 && held === 0);
    return Uint8Array.from(out);
  }
  function read(raw) {
    let at = 0;
    const value = one(6);
    need(at === raw.length);
    return value;
    function head() {
      need(at < raw.length);
      const kind = raw[at] >> 5, short = raw[at] & 31;
      at += 1;
      if (short < 24) return [kind, short];
      need(short <= 27);
      const width = 1 << (short - 24);
      need(at + width <= raw.length);
      let number = 0n;
      for (let n = 0; n < width; n += 1) number = (number << 8n) | BigInt(raw[at + n]);
      at += width;
      need(number >= (width === 1 ? 24n : 1n << BigInt(4 * width)));
      need(number <= BigInt(Number.MAX_SAFE_INTEGER));
      return [kind, Number(number)];
    }
    function one(depth) {
      need(depth > 0);
      const [kind, number] = head();
      if (kind === 0) return number;
      if (kind === 1) return -1 - number;
      need(kind <= 5 && number <= raw.length - at);
      if (kind === 2 || kind === 3) {
        const content = raw.slice(at, at + number);
        at += number;
        if (kind === 2) return content;
        try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content); } catch { throw new Damaged(); }
      }
      if (kind === 4) return Array.from({ length: number }, () => one(depth - 1));
      const found = new Map();
      let last = null;
      for (let n = 0; n < number; n += 1) {
        const key = one(1);
        need(typeof key === "number" && (last === null || key > last));
        last = key;
        found.set(key, one(depth - 1));
      }
      return found;
    }
  }
  function bytesHead(length) {
    if (length < 24) return [0x40 | length];
    if (length < 256) return [0x58, length];
    return [0x59, length >> 8, length & 255];
  }
  function toVerify(head, payload) {
    const name = new TextEncoder().encode("Signature1");
    return Uint8Array.from([0x84, 0x60 | name.length, ...name, ...bytesHead(head.length), ...head, 0x40, ...bytesHead(payload.length), ...payload]);
  }

  // --- what a summary states ---
  const number = (value, below) => { need(typeof value === "number" && value >= 0 && value < below); return value; };
  const bytes = (value, length) => { need(value instanceof Uint8Array && (length === undefined || value.length === length)); return value; };
  const text = (value, form) => { need(typeof value === "string" && value.length > 0 && [...value].length <= 70 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(value) && !/(?! )\p{Zs}/u.test(value) && (!form || form.test(value))); return value; };
  const list = (value, length) => { need(Array.isArray(value) && (length === undefined || value.length === length)); return value; };
  const map = (value) => { need(value instanceof Map); return value; };
  const hex = (raw) => Array.from(raw, (each) => each.toString(16).padStart(2, "0")).join("");
  const day = (value) => FIRST_DAY + number(value, 110000) * DAY;
  const CODE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,34}$/, COUNTRY = /^[A-Z]{2}$/, FIGURE = /^(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$/;

  function summaryOf(given) {
    need(given.length <= 1600);
    const plain = given.replace(/\s+/g, "").toUpperCase();
    const match = /^(?:[A-Z0-9.:/-]{0,200}\/)?ECO1\.([A-Z2-7]{40,1500})$/.exec(plain);
    need(match);
    const [head, open, payload, signature] = list(read(decoded(match[1])), 4);
    const named = map(read(bytes(head)));
    need(named.size === 2 && named.has(1) && named.has(4) && map(open).size === 0);
    need(typeof named.get(1) === "number" && String(named.get(1)) in METHODS);
    const fields = map(read(bytes(payload)));
    const got = (n) => { need(fields.has(n)); return fields.get(n); };
    const items = list(got(11)).map((each) => {
      const [hs, quantity, unit] = list(each, 3);
      return { hs: String(number(hs, 1000000)).padStart(6, "0"), quantity: text(quantity, FIGURE), unit: text(unit, CODE) };
    });
    need(items.length <= 3);
    return {
      agreement: text(got(1), CODE), kind: number(got(2), KINDS.length), test: number(got(3), 2) === 1,
      issuing: text(got(4), COUNTRY), serial: text(got(5)), issuedOn: day(got(6)), validFrom: day(got(7)), validUntil: day(got(8)),
      destination: text(got(9), COUNTRY), count: number(got(10), 100000), items, digest: hex(bytes(got(12), 16)),
      standing: number(got(13), STANDINGS.length), statedAt: FIRST_MINUTE + number(got(14), 134217728) * MINUTE,
      attester: ATTESTERS[number(got(15), ATTESTERS.length)], country: text(got(16), COUNTRY),
      method: METHODS[String(named.get(1))], key: hex(bytes(named.get(4), 8)), signature: bytes(signature), signed: toVerify(bytes(head), bytes(payload)),
    };
  }

  // --- who signed, and whether that is believed ---
  async function confirms(signer, summary) {
    const elliptic = signer.curve !== null;
    if (elliptic !== (summary.method === "ECDSA")) return false;
    const spki = Uint8Array.from(atob(signer.spki), (each) => each.charCodeAt(0));
    const key = await crypto.subtle.importKey("spki", spki, elliptic ? { name: "ECDSA", namedCurve: signer.curve } : { name: summary.method, hash: "SHA-256" }, false, ["verify"]);
    return crypto.subtle.verify({ name: summary.method, hash: "SHA-256" }, key, summary.signature, summary.signed);
  }
  async function signerOf(summary) {
    if (summary.attester === "AUTHORITY" && summary.country !== summary.issuing) return [null, "FOREIGN_AUTHORITY"];
    if (!D.keys.includes(summary.key) || !(summary.country in D.countries)) return [null, "SIGNER_UNKNOWN"];
    let worst = "SIGNER_NOT_TRUSTED";
    for (const each of D.signers) {
      if (each.key !== summary.key || each.country !== summary.country || each.attester !== summary.attester) continue;
      if (!each.spans.some(([since, until]) => Date.parse(since) <= summary.statedAt && summary.statedAt < Date.parse(until))) continue;
      if (await confirms(each, summary)) return [each, null];
      worst = "SIGNATURE_INVALID";
    }
    return [null, worst];
  }
  async function check(given, now) {
    let summary;
    try { summary = summaryOf(given); } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      return { summary: null, signer: null, codes: ["UNREADABLE"] };
    }
    const [signer, code] = await signerOf(summary);
    const codes = code === null ? [] : [code];
    const today = Math.floor(now / DAY) * DAY;
    if (summary.statedAt > now + SKEW) codes.push("STATED_IN_FUTURE");
    if (Math.floor(summary.statedAt / DAY) * DAY < summary.issuedOn - DAY) codes.push("STATED_BEFORE_ISSUE");
    if (summary.test) codes.push("TEST");
    if (!PROVES.includes(summary.standing)) codes.push("NOT_VALID_AT_PRINT");
    if (today > summary.validUntil) codes.push("EXPIRED");
    if (today < summary.validFrom) codes.push("NOT_YET_VALID");
    return { summary, signer, codes };
  }

  // --- the page ---
  const word = (name) => D.words[name][language];
  const isoDay = (at) => new Date(at).toISOString().slice(0, 10);
  const isoMinute = (at) => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const country = (code) => `${(D.countries[code] || {})[language] || code} (${code})`;
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  const bdi = (value) => make("bdi", {}, value);
  function outcome({ summary, signer, codes }) {
    const fails = codes.filter((code) => D.findings[code].severity === "ERROR");
    const box = make("section", { class: `verdict ${fails.length ? "bad" : "good"}`, "data-holds": String(fails.length === 0), "data-codes": codes.join(" ") },
      make("h2", {}, word(fails.length ? "not_believed" : "believed")));
    for (const code of [...fails, ...codes.filter((one) => !fails.includes(one))]) {
      const said = D.findings[code];
      box.append(make("div", { class: said.severity === "ERROR" ? "fail" : "warn" }, make("p", {}, make("strong", {}, said.message[language])), make("p", {}, said.remedy[language])));
    }
    if (!fails.length) box.append(make("p", {}, word("compare")));
    if (summary) box.append(facts(summary, signer));
    return box;
  }
  function facts(s, signer) {
    const found = make("dl", {});
    const row = (name, ...values) => found.append(make("dt", {}, word(name)), make("dd", {}, ...values));
    row("serial", bdi(s.serial), " ", bdi(s.agreement));
    row("kind", word(`kind_${KINDS[s.kind]}`));
    row("issued", bdi(isoDay(s.issuedOn)));
    row("valid", bdi(`${isoDay(s.validFrom)} – ${isoDay(s.validUntil)}`));
    row("route", bdi(country(s.issuing)), language === "ar" ? " ← " : " → ", bdi(country(s.destination)));
    row("standing", word(`status_${STANDINGS[s.standing]}`));
    row("stated_at", bdi(isoMinute(s.statedAt)));
    row("items", String(s.count), ...s.items.flatMap((each) => [make("br", {}), bdi(`HS ${each.hs}: ${each.quantity} ${each.unit}`)]), ...(s.count > s.items.length ? [make("br", {}), "…"] : []));
    row("digest", bdi(s.digest));
    if (signer) row("signed_by", bdi(signer.subject), make("br", {}), word(signer.attester === "AUTHORITY" ? "as_authority" : "as_gateway"), ", ", bdi(country(signer.country)));
    return found;
  }
  async function answer() {
    const given = document.getElementById("text").value;
    if (given.trim() === "") return;
    shown = await check(given, Date.now());
    place();
  }
  function place() {
    const target = document.getElementById("outcome");
    target.replaceChildren(...(shown ? [outcome(shown)] : []));
  }
  async function fromPicture(event) {
    const file = event.target.files[0];
    if (!file) return;
    let found = [];
    try { found = await new BarcodeDetector({ formats: ["qr_code"] }).detect(await createImageBitmap(file)); } catch { found = []; }
    if (found.length !== 1) { document.getElementById("outcome").replaceChildren(make("p", { class: "fail" }, word("no_picture"))); return; }
    document.getElementById("text").value = found[0].rawValue;
    await answer();
  }
  function draw() {
    const kept = document.getElementById("text")?.value || "";
    document.documentElement.lang = language;
    document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
    document.title = word("title");
    const nav = make("nav", {}, ...Object.entries(LANGUAGES).map(([code, name]) => {
      const button = make("button", { type: "button", lang: code, "aria-pressed": String(code === language), id: `language-${code}` }, name);
      button.addEventListener("click", () => { language = code; draw(); });
      return button;
    }));
    const area = make("textarea", { id: "text", dir: "ltr", spellcheck: "false", autocomplete: "off", autocapitalize: "characters", "aria-describedby": "hint" });
    area.value = kept;
    area.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); answer(); } });
    const go = make("button", { type: "button", class: "go", id: "go" }, word("check"));
    go.addEventListener("click", answer);
    const parts = [nav, make("h1", {}, word("title")), make("p", {}, word("lead"))];
    if (!globalThis.crypto?.subtle) parts.push(make("p", { class: "fail" }, word("unsupported")));
    if (Date.now() - Date.parse(D.made_at) > 30 * DAY) parts.push(make("p", { class: "warn", id: "old" }, word("old_list")));
    parts.push(make("label", { for: "text" }, word("field")), make("p", { class: "hint", id: "hint" }, word("hint")), area, go);
    if ("BarcodeDetector" in globalThis) {
      const picture = make("input", { type: "file", id: "picture", accept: "image/*" });
      picture.addEventListener("change", fromPicture);
      parts.push(make("label", { for: "picture" }, word("picture")), picture);
    }
    parts.push(make("div", { id: "outcome", role: "status", "aria-live": "polite" }));
    parts.push(make("footer", {}, word("trust_list"), " ", bdi(D.gateway), " – ", bdi(isoMinute(Date.parse(D.made_at)))));
    document.getElementById("page").replaceChildren(...parts);
    place();
  }
  draw();
})();
