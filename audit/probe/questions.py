"""Every question beside the hellos. Imported when they are asked: OpenSSL comes with them."""

from audit.probe import asked, attacks, inside, starttls
from audit.probe.question import Question

QUESTIONS: tuple[Question, ...] = (
    *starttls.QUESTIONS,
    *inside.QUESTIONS,
    *asked.QUESTIONS,
    *attacks.QUESTIONS,
)
