"""The one exception a user is meant to read: a sentence that says what, where, both values, what to do."""


class CxrbenchError(Exception):
    """Bad input or a state that the user can mend; stages print its message alone and exit with 1."""
