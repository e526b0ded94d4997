"""The tab Versions: publish one, and let an alias point to it, or to two of them by weight."""

from starlette.responses import Response

from ..actions import versions
from ..page import ConsoleError, Done, Page, Screen
from ..strings import words


def show(page: Page) -> Response:
    name = page.function_name
    return page.render(
        "versions.html",
        tab="versions",
        versions=page.read(versions.list_versions, [], function_name=name),
        aliases=page.read(versions.list_aliases, [], function_name=name),
    )


def publish(page: Page) -> Done:
    description = page.asked("description")
    version = page.perform(versions.publish_version, function_name=page.function_name, description=description)
    return Done(words("versions.published", version=version))


def create_alias(page: Page) -> Done:
    alias, version = page.asked("alias").strip(), page.asked("version")
    page.perform(versions.create_alias, function_name=page.function_name, alias=alias, version=version)
    return Done(words("versions.alias_made", alias=alias, version=version))


def point_alias(page: Page) -> Done:
    alias, version, other = page.asked("alias"), page.asked("version"), page.asked("other")
    weights = {other: _percent(page.asked("weight")) / 100} if other else {}
    page.perform(versions.point_alias, function_name=page.function_name, alias=alias, version=version, weights=weights)
    return Done(words("versions.alias_moved", alias=alias, version=version))


def delete_alias(page: Page) -> Done:
    alias = page.asked("alias")
    page.perform(versions.delete_alias, function_name=page.function_name, alias=alias)
    return Done(words("versions.alias_deleted", alias=alias))


def delete_version(page: Page) -> Done:
    version = page.asked("version")
    if not version.isdigit():  # without one, the whole function would go
        raise ConsoleError(words("error.no_number", text=version))
    page.perform(versions.delete_version, function_name=page.function_name, version=version)
    return Done(words("versions.deleted", version=version))


def _percent(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConsoleError(words("error.no_number", text=text)) from None


SCREEN = Screen(
    "/functions/{name}/versions",
    show,
    {
        "publish": publish,
        "create-alias": create_alias,
        "point-alias": point_alias,
        "delete-alias": delete_alias,
        "delete-version": delete_version,
    },
)
