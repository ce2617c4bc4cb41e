/* One page, no framework. This file ties the others together. */
import { buildBreakIt } from "./breakit.js";
import { $ } from "./dom.js";
import { buildForm, changed, edited, nextKey, onChange, orderOfForm } from "./form.js";
import { buildHistory, drawHistory } from "./history.js";
import { buildReferences } from "./references.js";
import { resumeAll, runOf, send } from "./runs.js";
import { base, needsCredential, settings } from "./service.js";
import { buildStage, draw, idle, isBusy, show, shownName } from "./stage.js";
import { entryOf, onOtherTab } from "./store.js";
import { buildTags } from "./tags.js";

const WHO = {
  iam: "the platform lets callers in; from your machine: gcloud run services proxy SERVICE --region REGION",
  oidc: "sign in with a bearer token", keys: "an API key is needed", none: "open to everybody, with a daily cap",
};

function submit(event) {
  event?.preventDefault();
  if (isBusy()) return;
  const order = orderOfForm();
  nextKey();
  send(order);
}

function adapt() {
  $("where").textContent = `${base.host}${base.pathname === "/" ? "" : base.pathname} · ${WHO[settings.auth]}`;
  $("describe").href = new URL("openapi.json", base).href;
  $("credentials").hidden = !needsCredential;
  $("credential-name").textContent = settings.auth === "oidc" ? "Bearer token" : "API key";
  for (const id of ["add-file", "drop-hint", "travel"]) $(id).hidden = !settings.uploads;
  $("later").disabled = !settings.uploads;
  if (!settings.uploads) $("later-how").textContent = "needs an uploads bucket";
}

/* What another tab brought to its end is shown here, too. */
function sync() {
  const entry = shownName() && entryOf(shownName());
  if (entry && !runOf(entry.name) && entry.state !== "running") draw(entry);
  drawHistory();
}

adapt();
buildStage();
buildHistory({ show, shownName });
buildReferences(edited);
buildForm();
buildTags();
buildBreakIt();
onChange(idle);
onOtherTab(sync);
$("form").addEventListener("submit", submit);
$("prompt").addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event); });
$("credential").addEventListener("change", () => { changed(); resumeAll(); });
idle();
drawHistory();
resumeAll();
$("generate").disabled = isBusy(); // before this line a press would do nothing
