/** Reads three of a browser's twelve header fields. */
export default ({ headers }: Request): Response => {
  const [language, mode, cookie] = ["accept-language", "sec-fetch-mode", "cookie"]
    .map((name) => headers.get(name));
  return new Response(`${language} ${mode} ${cookie}`);
};
