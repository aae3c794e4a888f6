"""How every carrier fetches the media of a text to us."""

from __future__ import annotations

import pytest
from aiohttp import web

from offhook.telephony.carrier import Carrier, CarrierAccount, CarrierRefused, OutcomeUnknown, Treatment
from telephony.carriers.answering import abort, answering, nothing, reaching, serving
from telephony.carriers.face import Face
from telephony.carriers.faces import every_face

NOWHERE = "http://203.0.113.9:80"


async def fetched(carrier: Carrier, account: CarrierAccount, url: str) -> tuple[str, bytes]:
    """Content type and the whole medium."""
    async with carrier.fetch_media(account, url) as (content_type, chunks):
        return content_type, b"".join([chunk async for chunk in chunks])


def redirect_to(url: str) -> web.Response:
    return web.Response(status=307, headers={"Location": url})


@every_face
async def test_the_carriers_own_medium_is_fetched_with_the_credentials(face: Face) -> None:
    picture = b"\x89PNG" * 50_000
    async with answering(face, lambda _: web.Response(body=picture, content_type="image/png")) as at:
        assert await fetched(at.carrier, at.account, f"{at.url}/media/1") == ("image/png", picture)
    assert face.authorized(at.seen[0].request)


@every_face
async def test_a_redirect_to_another_host_is_followed_without_the_credentials(face: Face) -> None:
    async with (
        serving(lambda _: web.Response(body=b"picture", content_type="image/gif")) as (elsewhere, visits),
        answering(face, lambda _: redirect_to(f"{elsewhere}/stored?s=1")) as at,
        reaching(elsewhere) as egress,
    ):
        medium = await fetched(at.with_egress(egress), at.account, f"{at.url}/media/1")
    assert medium == ("image/gif", b"picture")
    [visit] = visits
    assert "Authorization" not in visit.request.headers


@every_face
async def test_a_medium_at_another_host_is_fetched_without_the_credentials(face: Face) -> None:
    async with (
        serving(lambda _: web.Response(body=b"x", content_type="image/png")) as (elsewhere, visits),
        answering(face, nothing) as at,
        reaching(elsewhere) as egress,
    ):
        assert await fetched(at.with_egress(egress), at.account, f"{elsewhere}/m") == ("image/png", b"x")
    assert "Authorization" not in visits[0].request.headers


@every_face
async def test_our_own_network_is_reached_neither_directly_nor_by_a_redirect(face: Face) -> None:
    async with (
        serving(nothing) as (inside, visits),
        answering(face, lambda _: redirect_to(f"{inside}/secret")) as at,
        reaching(NOWHERE) as egress,
    ):
        for carrier in (at.with_egress(egress), at.carrier):
            for url in (f"{at.url}/media/1", f"{inside}/secret"):
                with pytest.raises(CarrierRefused) as refused:
                    await fetched(carrier, at.account, url)
                assert refused.value.refusal.treatment is Treatment.FAIL
    assert not visits


@every_face
@pytest.mark.parametrize(
    "url", ["", "nonsense", "/relative", "file:///etc/passwd", "http://[", "http://", "ftp://a.b/c"]
)
async def test_what_is_no_address_is_refused(face: Face, url: str) -> None:
    async with answering(face, nothing) as at, reaching(NOWHERE) as egress:
        with pytest.raises(CarrierRefused):
            await fetched(at.with_egress(egress), at.account, url)


@every_face
async def test_an_address_with_credentials_in_it_is_refused(face: Face) -> None:
    async with answering(face, nothing) as at:
        with pytest.raises(CarrierRefused):
            await fetched(at.carrier, at.account, at.url.replace("://", "://user:password@"))
    assert not at.seen


@every_face
async def test_a_loop_of_redirects_ends(face: Face) -> None:
    async with answering(face, lambda _: redirect_to("/again")) as at:
        with pytest.raises(CarrierRefused):
            await fetched(at.carrier, at.account, f"{at.url}/media/1")
    assert len(at.seen) < 10
    assert [face.authorized(seen.request) for seen in at.seen].count(True) == 1


@every_face
@pytest.mark.parametrize(("status", "error"), [(404, CarrierRefused), (410, CarrierRefused), (503, OutcomeUnknown)])
async def test_a_medium_that_is_not_there_says_so(face: Face, status: int, error: type[Exception]) -> None:
    async with answering(face, lambda _: web.Response(status=status)) as at:
        with pytest.raises(error):
            await fetched(at.carrier, at.account, f"{at.url}/media/1")


@every_face
async def test_another_hosts_refusal_says_nothing_about_the_account(face: Face) -> None:
    async with (
        serving(lambda _: web.Response(status=401)) as (elsewhere, _),
        answering(face, nothing) as at,
        reaching(elsewhere) as egress,
    ):
        with pytest.raises(CarrierRefused) as refused:
            await fetched(at.with_egress(egress), at.account, f"{elsewhere}/m")
    assert refused.value.refusal.treatment is Treatment.FAIL


@every_face
async def test_a_medium_that_breaks_off_says_so(face: Face) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        await response.write(b"x" * 1000)
        return abort(request)

    async with answering(face, half) as at:
        with pytest.raises(OutcomeUnknown):
            await fetched(at.carrier, at.account, f"{at.url}/media/1")


@every_face
@pytest.mark.parametrize("error", [OSError("disk full"), TimeoutError(), UnicodeError("x"), KeyError("x")], ids=repr)
async def test_what_goes_wrong_at_the_reader_stays_the_readers(face: Face, error: Exception) -> None:
    async with (
        serving(lambda _: web.Response(body=b"x")) as (elsewhere, _),
        answering(face, lambda _: web.Response(body=b"x")) as at,
        reaching(elsewhere) as egress,
    ):
        for url in (f"{at.url}/media/1", f"{elsewhere}/m"):
            with pytest.raises(type(error)) as raised:
                async with at.with_egress(egress).fetch_media(at.account, url):
                    raise error
            assert raised.value is error
