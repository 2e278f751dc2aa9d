"""Moving in: what other services, and our own first release, hold of events, users and registrations.

    files        files as records: DynamoDB JSON, the JSON of list calls, JSON lines
    shapes       each service's record as ours, in the words of the contract
    moments      dates and times, however they were written
    assembling   events with their people in order, by our rules; what had to be changed is told
    writing      an event with its people as items of our tables

Nothing here is imported by a request, and none of it is in the Lambda's package.
"""
