"""Import and export of events, users and registrations.

    files      the text of a file, and JSON as records: DynamoDB JSON, list calls, JSON lines
    sheets     CSV sheets with any separator as records
    columns    the columns of our sheets, derived from the serializers
    adapters   records of other services, converted to the field names of the API
    guests     guest lists of other services, and their sign-up for an event
    people     names, addresses and ids, converted to valid ones
    moments    dates and times in many formats
    planned    validated users, events and registrations
    assemble   events with their registrations, in order
    notes      the report of what an import changed or left out
    write      the write of an event with its registrations
    export     all users, events and registrations as records
    demo       sample data: a season of events

No request imports this package, and the Lambda package does not contain it.
"""
