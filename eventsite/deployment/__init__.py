"""The deployment of a stage: what `zappa deploy` and `zappa update` do beyond Zappa's own part.

    callbacks        the three functions that zappa_settings.json names, in the order in which Zappa calls them
    stage_file       the operator's decisions, and the Lambda's environment that follows from them
    template.yaml    the stage's stack: role, queues, mappings, alarms, dashboard, user pool
    template, stack  the template with its parameters; its changes, previewed and applied
    stream, gateway  settings that neither Zappa nor CloudFormation has
    lambda_package   the zip, with its bill of materials (sbom)
    plan             a deployment, shown without being executed
    dead_letters     notices that could not be delivered

It runs on the operator's machine only. No request imports it, and it is not in the package.
"""
