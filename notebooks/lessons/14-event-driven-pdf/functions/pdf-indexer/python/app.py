"""Assembles the index of a document, a sheet with all its thumbnails, once."""

import io
import json
import os

import boto3
from PIL import Image

WIDTH, HEIGHT, COLUMNS = 60, 85, 20  # pixels of a cell, and cells in a row

s3 = boto3.client("s3")
bucket = os.environ["PICTURES_BUCKET"]
documents = boto3.resource("dynamodb").Table(os.environ["DOCUMENTS_TABLE"])


def handler(event, context):
    for message in event["Records"]:
        assemble(json.loads(message["body"])["document"])


def assemble(document):
    answer = documents.get_item(Key={"document": document}, ConsistentRead=True)
    pages = int(answer["Item"]["pages"])
    rows = -(-pages // COLUMNS)  # rounded up
    sheet = Image.new("RGB", (min(pages, COLUMNS) * WIDTH, rows * HEIGHT), "white")
    for page in range(1, pages + 1):
        row, column = divmod(page - 1, COLUMNS)
        sheet.paste(thumbnail(document, page), (column * WIDTH, row * HEIGHT))
    index = io.BytesIO()
    sheet.quantize(64).save(index, "PNG")  # 64 colours: a fifth of the bytes
    put_once(f"{document}/index.png", index.getvalue())


def thumbnail(document, page):
    key = f"{document}/page-{page:03}.png"
    picture = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    image = Image.open(io.BytesIO(picture))
    image.thumbnail((WIDTH - 4, HEIGHT - 4))
    return image


def put_once(key, picture):
    try:
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=picture,
            ContentType="image/png",
            IfNoneMatch="*",
        )
        print(f"{key} written")
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        print(f"{key} was there already")
