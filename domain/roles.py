"""What an interview for a role turns on, as the offline twin knows it: rules, each used only with a cited fact.

`{fact}` is an excerpt of a cited sentence in quotation marks, `{company}` the company's name. Nothing here states
anything about the company, and no word here may look like a name.
"""

import re
from typing import NamedTuple


class Angle(NamedTuple):
    """A subject: the words that find a fact for it, what it makes of that fact, where it looks first."""

    cues: str
    topic: str
    question: str
    sections: tuple[str, ...] = ("engineering", "products")


class Family(NamedTuple):
    """A family of roles: how a role's title is recognised, its angles, whether it works with the stack by hand."""

    name: str
    title: str
    angles: tuple[Angle, ...]
    technical: bool = True


SERVICES = Angle(
    r"servic|platform|api|system|application|infrastructure|host",
    "Building and running services",
    "{fact} How would you build and run what stands behind that?",
)
DATA = Angle(
    r"data|database|sql|postgres|oracle|storage|record",
    "Working with data",
    "{fact} How would you model, store and move that data?",
)
SECURITY = Angle(
    r"secur|privacy|encrypt|complian|authoriz|risk",
    "Security and compliance",
    "{fact} What would you watch for first?",
)
QUALITY = Angle(
    r"test|review|quality|reliab|agile|iterat|stage",
    "Keeping quality while moving in small steps",
    "{fact} How do you keep quality while working that way?",
    ("culture", "engineering"),
)
OPEN_CODE = Angle(
    r"open source|open-source|source code|foss|repositor|contribut|publicly",
    "Writing code that others read",
    "{fact} What changes in your code when others read it?",
)
INTERFACE = Angle(
    r"website|web|interface|accessib|experience|visitor|customer",
    "Interfaces people can use",
    "{fact} How would you know that people can use it?",
    ("products", "culture"),
)
RESEARCH = Angle(
    r"user|research|interview|prototype|feedback|human-centered",
    "Learning from users",
    "{fact} How would you learn whether users are better off?",
    ("culture", "products"),
)
DELIVERY = Angle(
    r"cloud|deploy|docker|infrastructure|server|automat|monitor|pipeline",
    "Delivery and operations",
    "{fact} How would you automate and watch it?",
)
MODELS = Angle(
    r"machine learning|artificial intelligence|\bai\b|data science|model",
    "Putting models to use",
    "{fact} How would you measure whether a model helps there?",
)
ROADMAP = Angle(
    r"product|mission|goal|outcome|value|priorit|roadmap",
    "Choosing what to build",
    "{fact} How would you decide what to build next?",
    ("products", "overview"),
)
PEOPLE = Angle(
    r"team|staff|colleague|coach|hire|talent|people|lead",
    "Leading people",
    "{fact} How would you support a team in that?",
    ("culture",),
)
PARTNERS = Angle(
    r"partner|client|customer|agenc|stakeholder|collaborat|together",
    "Working with partners",
    "{fact} Describe how you worked that closely with someone outside your team.",
    ("culture",),
)
PURPOSE = Angle(
    r"mission|purpose|help|improve|public|serve|value",
    "Why {company}",
    "{fact} Why does that matter to you?",
    ("overview", "culture"),
)
COMMON = (PURPOSE, PARTNERS)

FAMILIES = (
    Family("manager", r"manager of|engineering manager|director|\bhead\b|\bvp\b|\bcto\b", (PEOPLE, ROADMAP, QUALITY)),
    Family("ml", r"machine learning|\bml\b|\bai\b|data scien|research scien", (MODELS, DATA, QUALITY, SERVICES)),
    Family("data", r"\bdata\b|analytics|analyst|\bbi\b|database", (DATA, MODELS, SECURITY, QUALITY)),
    Family("devops", r"devops|\bsre\b|reliab|infrastruct|platform|cloud|secur", (DELIVERY, SECURITY, SERVICES)),
    Family("frontend", r"front.?end|\bweb\b|\bui\b|mobile|ios|android", (INTERFACE, RESEARCH, QUALITY, OPEN_CODE)),
    Family("design", r"design|\bux\b|content strateg|user research", (RESEARCH, INTERFACE, ROADMAP), technical=False),
    Family("product", r"product|program manager|project manager", (ROADMAP, RESEARCH, QUALITY), technical=False),
    Family("backend", r"back.?end|software|engineer|develop|full.?stack", (SERVICES, DATA, SECURITY, OPEN_CODE)),
)
OTHER = Family("other", r"", (ROADMAP, RESEARCH, QUALITY), technical=False)

PREPARE = (
    "Have an example of your own ready that speaks to this: {fact}",
    "Be ready to say what you would ask first about this: {fact}",
)
ASK_THEM = (
    "{fact} How does that show in a normal week?",
    "{fact} What is still hard about it?",
)
PREPARE_TECHNOLOGY = "Refresh {technology}: it is named in the company's code."
QUESTION_TECHNOLOGY = "What have you built with {technology}, and where did it get in your way?"
ASK_TECHNOLOGY = "How has {technology} served you, and what would you change about it?"


def family(role: str) -> Family:
    """The family a role's title belongs to, `other` when none."""
    return next((item for item in FAMILIES if re.search(item.title, role, re.IGNORECASE)), OTHER)
