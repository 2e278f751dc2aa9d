"""Import and export: what other services, our own first release and spreadsheets hold of events and people.

    files      files as records: DynamoDB JSON, the JSON of list calls, JSON lines, sheets
    sheets     sheets as people have them, whatever separates their cells
    columns    the columns of our sheets, derived from the serializers
    adapters   each service's record as ours, by the field names of the API
    guests     the guest lists of other services, and who of them gets into an event
    people     names, addresses and ids, made to fit our rules
    moments    dates and times, however they were written
    planned    users, events and registrations, validated and ready to be written
    assemble   events with their people in order, by our rules
    notes      what was changed or left out, counted by kind
    write      an event with its people as items of our tables
    export     everything there is, as records
    demo       a season of events to look around in

No request imports any of this, and the Lambda package leaves it out.
"""
