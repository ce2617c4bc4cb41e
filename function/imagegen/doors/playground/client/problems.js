export class ImageProblem extends Error {
  constructor(about, more) {
    super(about.detail && about.detail !== about.title ? `${about.title}: ${about.detail}` : about.title);
    Object.assign(this, { billed: "maybe" }, about, more, { name: "ImageProblem" });
  }
}

const SAME_KEY = "Ask again with the same key: if the image was made, you get it for free.";

export const refusal = (code, title, action, more) => new ImageProblem({ code, title, billed: "no", detail: "Nothing was sent.", action }, more);

export const silence = (billed, action = SAME_KEY, cause) => billed === "no"
  ? refusal("no-answer", "The service cannot be reached", "Try again with the same key when there is a connection.", { cause })
  : new ImageProblem({ code: "no-answer", title: "No answer came", billed, detail: "The connection broke.", action }, { cause });

export const tooLong = ({ id, status }, more) => new ImageProblem({
  code: "still-waiting", title: `The image is still ${status}`, billed: status === "queued" ? "no" : "maybe", imageId: id,
  detail: status === "queued" ? "The service got no event of the uploads bucket." : "It has not ended.",
  action: "Look again later, free: resume() does. If it stays so, tell the operator.",
}, more);

export function problem({ status, headers, body, text }, more) {
  const refused = status < 500, html = headers.get("Content-Type")?.includes("html");
  const told = body?.error ?? (body?.code ? body : {
    status, code: "not-this-service", title: `Something in front of the service answered ${status}`, billed: refused ? "no" : "maybe",
    detail: html ? "It was an HTML page." : text.slice(0, 300), action: refused ? "Check the address and the credentials." : SAME_KEY,
  });
  return new ImageProblem(told, { answer: { status, headers, body }, imageId: body?.id ?? headers.get("Location")?.split("/").pop(), ...more });
}
