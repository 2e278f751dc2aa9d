"""What `zappa deploy` and `zappa update` do for this service beyond what Zappa does by itself.

    callbacks        the three functions that zappa_settings.json names, in the order in which Zappa calls them
    stage_file       what the operator has to decide, and the Lambda's environment that follows from it
    iam_policy       what the Lambda may do: the least it needs
    lambda_package   what goes into the zip: the least it needs, compiled
    notices          what hands on what was committed, to people and systems
    dead_letters     what could not be handed on
    aws_extras       what Zappa has no setting for: log retention, throttling, tracing

It runs on the operator's machine only. No request imports it, and it is not in the package.
"""
