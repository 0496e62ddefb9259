// The script of the reading page: a session, with the display check before it if one is due.

import { DisplayCheck } from "./display_check/display_check.js";
import { KeptCheck, screenNow } from "./display_check/kept_check.js";
import { data, find } from "./dom.js";
import { formNamed } from "./forms/index.js";
import { OwnKeys } from "./network/own_keys.js";
import { Session } from "./session/session.js";
import "./session/reload_on_back.js";

const rules = JSON.parse(find("#rules", HTMLScriptElement).textContent);
const root = find("#reading", HTMLElement);
const check = new KeptCheck(data(root, "reader"));
const display = { pixelsPerMm: () => check.pixelsPerMm(screenNow()) };
const form = await formNamed(data(root, "form"));
const stored = JSON.parse(find("#own-keys", HTMLScriptElement).textContent);
const ownKeys = new OwnKeys(data(root, "keysUrl"), `${form.keys.stored}.${data(root, "reader")}`, stored);
const session = new Session(root, rules, form, display, ownKeys);
session.begin(() => new DisplayCheck(rules.display, data(root, "reader")).passed());
