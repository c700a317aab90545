// What is sent. Whatever could never arrive is refused before anything is tried, in words that hold no secret.

/** The address of the project, as paths are put behind it. */
export function projectAddress(api: unknown): string {
  if (typeof api !== "string" || !api.trim()) throw new TypeError("api is needed: the address of the project");
  let url: URL;
  try {
    url = new URL(api.trim());
  } catch {
    throw new TypeError("api is no address of the web");
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new TypeError("api is no address of the web");
  if (url.username || url.password || url.search || url.hash) {
    throw new TypeError("api is an address alone: no user, password, query or fragment");
  }
  return url.href.replace(/\/+$/, "");
}

/** The value of `Authorization`. What is read from a file often ends with a line break. */
export function authorization(apiKey: unknown): string {
  const key = typeof apiKey === "string" ? apiKey.trim() : "";
  if (!key) throw new TypeError("apiKey is needed");
  if (!/^[\x21-\x7e]+$/.test(key)) throw new TypeError("apiKey is no API key: it holds what a header cannot");
  return `Bearer ${key}`;
}

/** A key as the server takes it. Blanks at its ends would be lost on the way. */
export function checkedKey(key: unknown): string {
  if (typeof key !== "string" || !/^(?! )[\x20-\x7e]{1,255}(?<! )$/.test(key)) {
    throw new TypeError("idempotencyKey has 1 to 255 printable ASCII characters, none of those at its ends a blank");
  }
  return key;
}

export function checkPlace(method: string, path: string): void {
  if (!/^(GET|POST|PUT|PATCH|DELETE)$/.test(method)) throw new TypeError("method is GET, POST, PUT, PATCH or DELETE");
  if (typeof path !== "string" || !/^\/[^\s\x00-\x1f\x7f]*$/.test(path)) {
    throw new TypeError("path begins with a slash, and holds neither blanks nor control characters");
  }
}

/** One segment of a path. */
export function segment(text: string): string {
  // An address with these means another one, however they are written.
  if (text === "" || text === "." || text === "..") throw new TypeError(`"${text}" names nothing`);
  try {
    return encodeURIComponent(text);
  } catch {
    throw new TypeError("half a character names nothing");
  }
}

export function query(members: object = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? "" : `?${given}`;
}

/**
 * The one text of a value in JSON, as RFC 8785 has it: members by name, no blanks. The client for Python writes the
 * same bytes, so that the same matter under the same key is the same request.
 */
export function canonical(value: unknown): string {
  const text = JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === "number" && !Number.isFinite(member)) throw new TypeError("JSON has no such number");
    return member;
  });
  if (text === undefined) throw new TypeError("the body is nothing that JSON has");
  return ordered(JSON.parse(text));
}

function ordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(ordered).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${ordered(member)}`).join()}}`;
}
