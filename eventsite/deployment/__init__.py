"""The deployment of a stage, on the operator's machine: what `zappa deploy` needs besides Zappa's own steps.

callbacks        the three functions in zappa_settings.json that Zappa calls
stage_file       the operator's choices, and the environment of the Lambda
template.yaml    the stage's stack: API, role, queues, mappings, alarms, dashboard, user pool
template, stack  its parameters; its changes, previewed and applied
stream           the stream of a table, which is not in the stack
lambda_package   the zip, with its bill of materials (sbom)
plan             a dry run of a deployment
dead_letters     notices that could not be delivered
"""
