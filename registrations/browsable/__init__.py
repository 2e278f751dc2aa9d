"""The pages of registrations: the people of an event, signing up, and what a person has signed up for."""

from registrations.browsable import check_in, contact, own, people, sign_up  # noqa: F401 (each registers its pages)
