"""Makes the thumbnail of one picture."""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, ImageOps

SIZE = (240, 240)  # pixels, at most

s3 = boto3.client("s3")


def make_thumbnail(record):
    """Take a record of an S3 event, put the thumbnail under the same key into the other bucket, return the key."""
    bucket, key = (
        record["s3"]["bucket"]["name"],
        unquote_plus(record["s3"]["object"]["key"]),
    )
    image = Image.open(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
    image = ImageOps.exif_transpose(
        image
    )  # phones store pictures lying, with a note on how they were held
    image.thumbnail(SIZE)
    file = io.BytesIO()
    image.save(file, "JPEG")
    s3.put_object(
        Bucket=os.environ["THUMBNAILS"],
        Key=key,
        Body=file.getvalue(),
        ContentType="image/jpeg",
    )
    return key
