"""The deployment of a stage: the steps that `zappa deploy` and `zappa update` need besides Zappa's own.

    callbacks        the three functions in zappa_settings.json that Zappa calls
    stage_file       the operator's choices, and the environment of the Lambda
    template.yaml    the stage's stack: role, queues, mappings, alarms, dashboard, user pool
    template, stack  the template with its parameters; its changes, previewed and applied
    stream, gateway  settings that neither Zappa nor CloudFormation can make
    lambda_package   the zip, with its bill of materials (sbom)
    plan             a dry run of a deployment
    dead_letters     notices that could not be delivered

It runs on the operator's machine only. No request imports it, and it is not in the package.
"""
