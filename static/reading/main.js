// The script of the reading page: a session, with the display check before it if one is due.

import { DisplayCheck } from "./display_check/display_check.js";
import { find } from "./dom.js";
import { Session } from "./session/session.js";
import "./session/reload_on_back.js";

const rules = JSON.parse(find("#rules", HTMLScriptElement).textContent);
const session = new Session(find("#reading", HTMLElement), rules);
session.begin(() => new DisplayCheck(rules.display).passed());
