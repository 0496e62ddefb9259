"""The audit trail in words: one table from the name of an event to its sentence.

`%(actor)s`, `%(subject)s` and `%(study)s` become links; other names are read from the event's data. What no sentence
names is not shown: that is how seeds and generators stay out of the pages.
"""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

SENTENCES: Final[dict[str, Text]] = {
    "account.activated": _("%(actor)s activated the account of %(subject)s."),
    "account.changed": _("%(actor)s changed the account of %(subject)s: %(changed)s."),
    "account.deactivated": _("%(actor)s deactivated the account of %(subject)s."),
    "account.linked": _("The account of %(subject)s was linked to single sign-on (%(provider)s)."),
    "account.made": _("%(actor)s made the account of %(subject)s as %(role)s."),
    "account.role_changed": _("%(actor)s changed the role of %(subject)s from %(before)s to %(after)s."),
    "account.written": _("%(actor)s wrote a mail with a sign-in link to %(subject)s."),
    "attack.imported": _("%(actor)s imported %(pairs)s adversarial images as %(subject)s."),
    "blinding.audited": _("The blinding of %(study)s was audited."),
    "cohort.imported": _("%(actor)s imported images into the cohort %(subject)s."),
    "comment.written": _("%(actor)s wrote a comment at the end of %(study)s."),
    "consent.given": _("%(actor)s gave consent for %(study)s as %(subject)s."),
    "consent.removed": _("%(actor)s removed the consent text of %(study)s."),
    "consent.written": _("%(actor)s wrote version %(version)s of the consent text of %(study)s."),
    "corners.looked_at": _("%(actor)s looked at the corners of all %(images)s images of %(study)s."),
    "display.checked": _("%(actor)s checked the display before session %(session)s of %(study)s."),
    "export.made": _("%(actor)s exported %(part)s of %(study)s as %(format)s."),
    "image.excluded": _(
        "%(actor)s excluded the image at position %(position)s of session %(session)s of %(reader)s from the analysis "
        "of %(study)s."
    ),
    "image.included": _(
        "%(actor)s took the image at position %(position)s of session %(session)s of %(reader)s back into the analysis "
        "of %(study)s."
    ),
    "image.reported": _("%(actor)s reported the image at position %(position)s of session %(session)s of %(study)s."),
    "images.sent": _("%(actor)s sent images for the cohort %(cohort)s."),
    "invitation.written": _("%(actor)s invited %(subject)s to %(study)s."),
    "job.cancelled": _("%(actor)s cancelled job %(subject)s."),
    "job.requeued": _("Job %(subject)s was queued again after its worker was lost."),
    "job.retried": _("%(actor)s started job %(retried_from)s again as job %(subject)s."),
    "job.started": _("%(actor)s started job %(subject)s."),
    "link.made": _("%(actor)s made sign-in link %(link)s for %(subject)s."),
    "link.opened": _("Sign-in link %(link)s of %(subject)s was opened."),
    "link.revoked": _("%(actor)s revoked sign-in link %(link)s of %(subject)s."),
    "link.used": _("%(subject)s used sign-in link %(link)s."),
    "member.added": _("%(actor)s added %(person)s to %(study)s as %(role)s."),
    "member.removed": _("%(actor)s ended the part of %(person)s in %(study)s as %(role)s."),
    "message.read": _("%(actor)s read a message about %(study)s."),
    "message.sent": _("%(actor)s sent a message to readers of %(study)s."),
    "message.written": _("%(actor)s wrote a mail with a message to %(subject)s."),
    "new_link.written": _("%(subject)s asked for a new sign-in link and was sent one."),
    "pairs.viewed": _("%(actor)s looked at the gallery of adversarial images beside their source images."),
    "pair.viewed": _("%(actor)s looked at adversarial image %(subject)s beside its source image."),
    "password.asked": _("Somebody asked for a link to choose a new password for the account of %(subject)s."),
    "password.changed": _("%(actor)s set the password of %(subject)s; the API tokens of the account ended."),
    "password.reset": _("%(subject)s chose a new password by a link sent by mail."),
    "profile.saved": _("%(actor)s answered the questions about the reader in %(study)s."),
    "reader.enrolled": _("%(actor)s enrolled %(subject)s in %(study)s."),
    "reader.paused": _("%(actor)s paused %(subject)s in %(study)s."),
    "reader.resumed": _("%(actor)s let %(subject)s read on in %(study)s."),
    "reader.withdrawn": _("%(actor)s withdrew %(subject)s from %(study)s."),
    "reader_rules.changed": _("%(actor)s changed the rules for readers of %(study)s."),
    "reminder.written": _("%(actor)s reminded %(subject)s of %(study)s."),
    "report.stored": _("Version %(number)s of the report of %(study)s was stored."),
    "report.viewed": _("%(actor)s opened the report of %(study)s."),
    "second_factor.added": _("%(actor)s set up a second factor: %(factor)s."),
    "second_factor.failed": _("Somebody gave a wrong second factor for the account of %(subject)s."),
    "second_factor.removed": _("%(actor)s removed a second factor: %(factor)s."),
    "second_factor.renewed": _("%(actor)s made new recovery codes."),
    "second_factor.reset": _("The second factors of %(subject)s were removed by a command."),
    "second_factor.used": _("%(actor)s gave the second factor: %(factor)s."),
    "session.allowed": _("%(actor)s let session %(session)s of %(subject)s in %(study)s go on."),
    "session.allowed_early": _("%(actor)s let %(subject)s begin session %(session)s of %(study)s early."),
    "session.finished": _("%(actor)s finished session %(session)s of %(study)s."),
    "session.held": _("Session %(session)s of %(subject)s in %(study)s was put on hold after a long rest."),
    "session.opened": _("%(actor)s opened session %(session)s of %(study)s."),
    "session.practised": _("%(actor)s finished the practice of session %(session)s of %(study)s."),
    "session.stopped": _(
        "Session %(session)s of %(subject)s in %(study)s was stopped at position %(position)s: the file of the image "
        "is not the one that was drawn."
    ),
    "session.resumed": _("%(actor)s went on with session %(session)s of %(study)s."),
    "sign_in.blocked": _("Too many wrong passwords: signing in was blocked for some minutes. Account: %(subject)s."),
    "sign_in.by_link": _("%(actor)s signed in by link %(link)s."),
    "sign_in.by_passkey": _("%(actor)s signed in by passkey."),
    "sign_in.by_password": _("%(actor)s signed in by password."),
    "sign_in.by_sso": _("%(actor)s signed in by single sign-on (%(provider)s)."),
    "sign_in.confirmed": _("%(actor)s signed in again before an act."),
    "sign_in.ended": _("%(actor)s signed out."),
    "sign_in.ended_elsewhere": _("%(actor)s signed another of their browsers out."),
    "sign_in.failed": _("Somebody gave a wrong password for the account of %(subject)s."),
    "sign_in.timed_out": _("%(subject)s was signed out after a time without anything done."),
    "sign_in.unknown": _("Somebody tried to sign in to an account that does not exist."),
    "stimulus.excluded": _("%(actor)s excluded adversarial image %(subject)s from all future studies."),
    "study.archived": _("%(actor)s archived %(study)s."),
    "study.closed": _("%(actor)s closed %(study)s."),
    "study.created": _("%(actor)s created %(study)s."),
    "study.deleted": _("%(actor)s deleted the draft %(study)s."),
    "study.edited": _("%(actor)s edited %(study)s."),
    "study.locked": _("%(actor)s locked %(study)s."),
    "study.opened": _("%(actor)s opened %(study)s for reading."),
    "study.paused": _("%(actor)s paused %(study)s."),
    "study.rehearsed": _("%(actor)s rehearsed %(study)s as %(rehearsal)s."),
    "study.resumed": _("%(actor)s resumed %(study)s."),
    "study.unlocked": _("%(actor)s unlocked %(study)s."),
    "study.unsealed": _("%(actor)s unsealed %(study)s."),
    "token.made": _("%(actor)s made the API token %(name)s for %(days)s days."),
    "token.revoked": _("%(actor)s revoked the API token %(name)s."),
    "trail.exported": _("%(actor)s exported the audit trail."),
    "trail.reviewed": _("%(actor)s reviewed the audit trail of %(study)s up to event %(up_to)s."),
    "unblinding.assessed": _("%(actor)s assessed unplanned unblinding %(number)s of %(study)s."),
    "unblinding.corrected": _("%(actor)s corrected the record of unplanned unblinding %(number)s of %(study)s."),
    "unblinding.recorded": _("%(actor)s recorded unplanned unblinding %(number)s of %(study)s."),
    "unsealing.expired": _("The request of %(requested_by)s to unseal %(study)s expired."),
    "unsealing.requested": _("%(actor)s requested the unsealing of %(study)s."),
    "unsealing.withdrawn": _("%(actor)s ended the request of %(requested_by)s to unseal %(study)s."),
}

# The part before the dot, for the filter of the pages.
KINDS: Final[dict[str, Text]] = {
    "account": _("Accounts"),
    "attack": _("Attacks"),
    "blinding": _("Blinding audits"),
    "cohort": _("Cohorts"),
    "comment": _("Comments"),
    "consent": _("Consent"),
    "corners": _("Corners of images"),
    "display": _("Display checks"),
    "export": _("Exports"),
    "image": _("Reported images"),
    "images": _("Images sent"),
    "invitation": _("Invitations"),
    "job": _("Jobs"),
    "link": _("Sign-in links"),
    "member": _("Members"),
    "message": _("Messages"),
    "new_link": _("New links by mail"),
    "pair": _("Views of one altered image"),
    "pairs": _("Views of the gallery"),
    "password": _("Passwords"),
    "profile": _("Questions about readers"),
    "reader": _("Readers"),
    "reader_rules": _("Rules for readers"),
    "reminder": _("Reminders"),
    "report": _("Views of reports"),
    "second_factor": _("Second factors"),
    "session": _("Sessions"),
    "sign_in": _("Sign-ins"),
    "stimulus": _("Excluded images"),
    "study": _("Studies"),
    "token": _("API tokens"),
    "trail": _("Audit trail"),
    "unblinding": _("Unplanned unblindings"),
    "unsealing": _("Requests to unseal"),
}
# What was exported, as an event stores it.
PARTS: Final[dict[str, Text]] = {
    "answers": _("the answers at the end of sessions"),
    "readings": _("the readings"),
    "report": _("the report"),
    "results": _("the results"),
    "table": _("a table of the report"),
}
# Second factors, as an event stores them.
FACTORS: Final[dict[str, Text]] = {
    "recovery_codes": _("recovery code"),
    "totp": _("authenticator app"),
    "webauthn": _("passkey"),
}
