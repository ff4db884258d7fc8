/**
 * The content codings that a client accepts (RFC 9110 section 12.5.3).
 *
 * @module
 */

/** Weights by coding. An invalid weight counts as 0. */
function weights(accept: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const member of accept.toLowerCase().split(",")) {
    const [name, ...parameters] = member.split(";").map((part) => part.trim());
    const weight = parameters.find((part) => part.startsWith("q="));
    const isValid = weight === undefined || /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight);
    found.set(name.replace(/^x-(?=gzip$)/, ""), isValid ? Number(weight?.slice(2) ?? 1) : 0);
  }
  return found;
}

/**
 * Those of `offered` that the client prefers or equally accepts to no coding, best first; among
 * equals in the order offered. A missing field asks for no coding.
 */
export function preferred<E extends string>(accept: string | null, offered: readonly E[]): E[] {
  const wanted = weights(accept ?? "");
  const plain = wanted.get("identity") ?? 0;
  const weight = (coding: E) => wanted.get(coding) ?? wanted.get("*") ?? 0;
  return offered
    .filter((coding) => weight(coding) > 0 && weight(coding) >= plain)
    .sort((a, b) => weight(b) - weight(a));
}
