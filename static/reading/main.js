// The script of the reading page: a session, with the display check before it if one is due.

import { DisplayCheck } from "./display_check/display_check.js";
import { KeptCheck, screenNow } from "./display_check/kept_check.js";
import { data, find } from "./dom.js";
import { formNamed } from "./forms/index.js";
import { Session } from "./session/session.js";
import "./session/reload_on_back.js";

const rules = JSON.parse(find("#rules", HTMLScriptElement).textContent);
const root = find("#reading", HTMLElement);
const check = new KeptCheck(data(root, "reader"));
const display = { pixelsPerMm: () => check.pixelsPerMm(screenNow()) };
const session = new Session(root, rules, await formNamed(data(root, "form")), display);
session.begin(() => new DisplayCheck(rules.display, data(root, "reader")).passed());
