from bank import charge, send_receipt


def handler(event, context):
    payment = charge(event)
    send_receipt(event)
    return {"payment": payment}
