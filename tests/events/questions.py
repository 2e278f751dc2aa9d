"""Questions of an event that tests ask."""

FOOD = {
    "questionId": "food",
    "label": "What do you eat?",
    "kind": "choice",
    "choices": ["All", "Vegan"],
    "required": True,
}
BADGE = {"questionId": "badge", "label": "Name on the badge?", "kind": "text"}
DIET = {"questionId": "diet", "label": "Diet?", "kind": "choice", "choices": ["meat", "vegan"], "required": True}
