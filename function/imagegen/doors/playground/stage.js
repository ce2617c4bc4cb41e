/* The stage: nothing yet, a generation that runs, an image or a problem; and what is said of it. */
import { imageCard } from "./cards.js";
import { clearComplaints, complain } from "./complaints.js";
import { $, box, button, chosen, el, intoView, say, shortId } from "./dom.js";
import { editCount, EXAMPLES, write } from "./form.js";
import { drawHistory } from "./history.js";
import { problemCard } from "./problems.js";
import { onStage, runOf } from "./runs.js";
import { BILLED } from "./service.js";
import { usual } from "./store.js";

const TITLE = document.title;
let shown = null, foreground = null, ticking, endCard = () => {};

export const shownName = () => shown;
export const isBusy = () => foreground !== null;

export function idle() {
  if (shown) return;
  const examples = EXAMPLES.map(([prompt, ratio]) => el("li", null, button([box(ratio, 34), el("span", null, prompt)], () => write(prompt, ratio), { class: "example" })));
  $("show").replaceChildren(el("div", { class: "frame" }, el("div", { class: "empty" }, box(chosen("ratio"), 130, "span", "ghost"),
    el("h2", null, "Your image appears here"),
    el("p", { class: "soft small" }, "It takes about half a minute and ten cents, is kept in your bucket, and comes with a link that you can hand on."),
    el("p", { class: "soft small" }, "Try one of these:"), el("ul", { class: "examples" }, examples))));
}

function frame(run) {
  const text = usual();
  const about = text.seen > 2 ? `Here it usually takes ${Math.round(text.seconds) || 1} s.` : "It takes about half a minute.";
  return el("div", { class: "frame busy" }, el("div", null,
    box(run.entry.body.ratio, 190, "span", "ghost"),
    el("h2", { tabindex: "-1", class: "unseen", id: "running" }, "Generating"),
    el("p", { class: "elapsed", id: "elapsed", "aria-hidden": "true" }, "0.0 s"),
    el("progress", { id: "progress", max: "1", value: "0", "aria-label": "Estimated progress" }),
    el("p", { class: "soft small", id: "stand" }, `Generating. ${about}`),
    el("p", { class: "soft small" }, "You can close this page: the image is found again when you come back."),
    button("Stop waiting", () => run.stop.abort(), { id: "stop" })));
}

function began(run) {
  if (run.foreground) {
    clearComplaints();
    foreground = run;
    $("generate").disabled = true;
  }
  if (run.visible) {
    showRunning(run);
    say("Generating");
  }
  drawHistory();
}

function showRunning(run) {
  const left = [document.body, $("generate")].includes(document.activeElement) || $("show").contains(document.activeElement);
  shown = run.entry.name;
  endCard();
  $("stage").setAttribute("aria-busy", "true");
  $("show").replaceChildren(frame(run));
  clearInterval(ticking);
  ticking = setInterval(() => tick(run), 100);
  tick(run);
  if (left) $("running").focus({ preventScroll: true });
  intoView($("show"));
}

function tick(run) {
  if (shown !== run.entry.name || runOf(shown) !== run) return;
  const seconds = (Date.now() - run.started) / 1000;
  $("elapsed").textContent = `${seconds.toFixed(1)} s`;
  $("progress").value = 1 - Math.exp(-2.2 * seconds / usual().seconds);
  if (run.foreground) document.title = `${Math.floor(seconds)} s · ${TITLE}`;
}

function moved(run) {
  if (shown !== run.entry.name) return;
  const { status, id } = run.status, words = { uploading: "Uploading.", sending: null, offline: "No connection. It goes on by itself when there is one; the key is written down, so it is paid once.", waiting: "The service asked to come again in a moment." };
  const text = id ? `${status === "queued" ? "Queued" : "Being generated"} as ${shortId(id)}.` : words[status];
  if (text && $("stand").textContent !== text) $("stand").textContent = text;
  if (status === "offline") say(text);
}

function ended(run, entry) {
  if (foreground === run) {
    foreground = null;
    $("generate").disabled = false;
  }
  const about = entry.problem, here = shown === entry.name || (!shown && !about);
  if (here) show(entry);
  else drawHistory();
  if (about?.errors && run.foreground) about.errors.forEach(({ pointer, detail }) => complain(pointer, detail));
  if (!here && about) return;
  say(about ? toldProblem(about) : `The image is ready${entry.replayed ? ", replayed free of charge" : ""}.`);
  document.title = about ? `${about.title} · ${TITLE}` : `✓ Image ready · ${TITLE}`;
  if (here && !run.keepFocus && run.edits === editCount()) $("show").querySelector(".card h2").focus({ preventScroll: true });
  if (here) intoView($("show"));
}

const toldProblem = ({ title, billed, errors, action }) => [`${title}.`, `${BILLED[billed] ?? ""}.`, ...(errors ?? []).map(({ pointer, detail }) => `${pointer || "request"} ${detail}.`), action ?? ""].join(" ");

/** Show an entry: its image, its problem, or that it runs. */
export function show(entry) {
  const run = runOf(entry.name);
  if (run) showRunning(run);
  else draw(entry);
  drawHistory();
}

export function draw(entry) {
  shown = entry.name;
  endCard();
  $("stage").removeAttribute("aria-busy");
  const { card, end } = entry.problem ? problemCard(entry, cleared) : imageCard(entry, draw);
  endCard = end ?? (() => {});
  $("show").replaceChildren(card);
}

/* What the stage shows was removed. */
function cleared() {
  shown = null;
  endCard();
  idle();
  drawHistory();
}

export function buildStage() {
  onStage({ began, moved, ended });
  $("form").addEventListener("input", () => { if (!foreground) document.title = TITLE; });
}
