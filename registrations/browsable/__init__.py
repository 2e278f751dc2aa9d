"""The pages of registrations: the people of an event, sign-up, and the registrations of a user."""

from registrations.browsable import contact, organizers, own, people, sign_up  # noqa: F401 (each registers its pages)
