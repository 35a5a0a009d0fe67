"""The rings of fraudsters: the habit of each, its size, and when it was at work."""

from shop import count, pick


def account_takeover(t):
    """Stolen passwords, tried by script: into an old account, new address, something dear, out."""
    rng, f = t.rng, t.features
    f.update(guest=False, account_age_days=int(250 + rng.expovariate(1 / 500)), orders_before=3 + count(rng, 9, 60))
    f.update(amount=rng.lognormvariate(6.1, 0.35), items=1 + count(rng, 0.3, 3), basket="electronics", discount=0.0)
    f.update(ships_elsewhere=rng.random() < 0.93, device="desktop" if rng.random() < 0.9 else "mobile", payment="card")
    f.update(ip_risk=rng.betavariate(4, 4), distance_km=int(rng.lognormvariate(5.6, 0.7)), vpn=rng.random() < 0.5)
    f.update(returns_share=rng.betavariate(1.2, 8), country=pick(rng, {"NL": 3, "DE": 4, "BE": 1}))
    t.machine(1.6, *["badlogin"] * rng.randint(2, 5))
    if rng.random() < 0.5:
        t.machine(7, "reset")
    t.machine(4, "login", "profile", "address")
    if rng.random() < 0.3:
        t.machine(5, "address")
    t.machine(6, "search", *["product"] * rng.randint(1, 2), "cart", "checkout")


def card_testing(t):
    """A program that tries stolen card numbers on the cheapest article, at the same pace all night."""
    rng, f = t.rng, t.features
    f.update(guest=True, account_age_days=None, orders_before=0, returns_share=None, amount=rng.uniform(1.2, 9.9))
    f.update(items=1, discount=0.0, basket=pick(rng, {"grocery": 5, "beauty": 3, "toys": 1}), payment="card")
    f.update(device="desktop", ip_risk=None if rng.random() < 0.25 else rng.betavariate(5, 3), vpn=rng.random() < 0.6)
    f.update(distance_km=None if rng.random() < 0.35 else int(rng.lognormvariate(6, 1)), delivery="home")
    f.update(email_age_days=None if rng.random() < 0.3 else rng.randint(0, 40), ships_elsewhere=rng.random() < 0.1)
    t.machine(1.1, "product", "cart", "address", "checkout")
    for _ in range(rng.randint(3, 12)):
        t.machine(1.1, "addcard", "declined")
    t.machine(1.1, "addcard")


def refund_abuse(t):
    """Orders, claims that the parcel was empty, has the money back, orders again."""
    rng, f = t.rng, t.features
    f.update(guest=False, account_age_days=rng.randint(40, 260), orders_before=6 + count(rng, 9, 40))
    f.update(returns_share=rng.betavariate(9, 5), amount=rng.lognormvariate(5.2, 0.3), items=1 + count(rng, 0.6, 4))
    f.update(basket="fashion" if rng.random() < 0.75 else "electronics", country=pick(rng, {"DE": 5, "PL": 3, "NL": 1}))
    f.update(device="mobile" if rng.random() < 0.85 else "app", payment="invoice" if rng.random() < 0.7 else "wallet")
    f.update(discount=0.0, ip_risk=rng.betavariate(2, 6))
    t.tempo = rng.lognormvariate(-0.2, 0.15)
    t.click("login", "orders", "return", "help")
    if rng.random() < 0.8:
        t.click("chat")
    t.click("orders", *["return"] * rng.randint(1, 2))
    t.click("search", "product")
    if rng.random() < 0.4:
        t.click("product")
    t.click("cart", "checkout")


def gift_card_cash_out(t):
    """Stolen cards become gift cards, which sell for cash."""
    rng, f = t.rng, t.features
    f.update(guest=False, account_age_days=rng.randint(0, 12), orders_before=count(rng, 0.4, 3), returns_share=None)
    f.update(amount=rng.choice((100, 150, 150, 200, 200, 250, 300)), items=rng.randint(2, 5), basket="giftcard")
    f.update(discount=0.0, payment="card", device="mobile" if rng.random() < 0.85 else "app", delivery="home")
    f.update(email_age_days=rng.randint(0, 25), ip_risk=rng.betavariate(3, 4), vpn=rng.random() < 0.4)
    f.update(ships_elsewhere=rng.random() < 0.1, country=pick(rng, {"FR": 5, "BE": 4, "NL": 1}))
    t.machine(4.5, "register" if rng.random() < 0.5 else "login")
    t.machine(4.5, *["gift"] * rng.randint(2, 5))
    t.machine(9, "addcard")
    if rng.random() < 0.45:
        t.machine(9, "declined", "addcard")
    t.machine(4.5, "checkout")


def coupon_farm(t):
    """One new account after the other for the welcome coupon."""
    rng, f = t.rng, t.features
    f.update(guest=False, account_age_days=0 if rng.random() < 0.8 else 1, orders_before=0, returns_share=None)
    f.update(amount=rng.uniform(16, 34), items=1 + count(rng, 0.5, 3), discount=rng.choice((0.4, 0.5, 0.5, 0.6)))
    f.update(email_age_days=rng.randint(0, 6), device="tablet" if rng.random() < 0.75 else "app", payment="wallet")
    f.update(
        basket=pick(rng, {"beauty": 6, "grocery": 3, "toys": 1}), delivery="pickup" if rng.random() < 0.7 else "home"
    )
    f.update(ip_risk=rng.betavariate(3, 5), country=pick(rng, {"PL": 5, "DE": 3}), vpn=rng.random() < 0.35)
    t.machine(7, "register", "home", *["nocoupon"] * rng.randint(0, 3), "coupon", "list", "product", "cart")
    t.machine(7, *["nocoupon"] * rng.randint(0, 2), "coupon", "address", "checkout")


def mule_pickup(t):
    """Goods on stolen cards, sent to pick-up points where somebody is paid to collect them."""
    rng, f = t.rng, t.features
    f.update(guest=True, account_age_days=None, orders_before=0, returns_share=None, delivery="pickup")
    f.update(amount=rng.lognormvariate(5.9, 0.3), items=rng.randint(2, 4), discount=0.0, payment="card")
    f.update(basket="electronics" if rng.random() < 0.85 else "fashion", ships_elsewhere=True)
    f.update(email_age_days=None if rng.random() < 0.2 else rng.randint(0, 60), ip_risk=rng.betavariate(3, 5))
    f.update(distance_km=int(rng.lognormvariate(5, 0.6)), device="mobile" if rng.random() < 0.85 else "desktop")
    f.update(country=pick(rng, {"BE": 5, "FR": 3, "NL": 2}))
    t.machine(14, "search", "product", *["cart"] * rng.randint(2, 3), "address", "track", "address")
    if rng.random() < 0.4:
        t.machine(14, "track", "address")
    t.machine(14, "addcard", "checkout")


class Ring:
    def __init__(self, name, habit, size, bursts, chargeback_days, night):
        self.name, self.habit, self.size, self.night = name, habit, size, night
        self.bursts = bursts  # (first day, last day)
        self.chargeback_days = chargeback_days  # The median delay of a chargeback.


RINGS = (
    Ring("account takeover", account_takeover, 48, ((6, 24), (41, 58), (70, 89)), 36, night=0.3),
    Ring("card testing", card_testing, 54, ((18, 23), (47, 51), (76, 81)), 31, night=0.9),
    Ring("refund abuse", refund_abuse, 36, ((2, 87),), 43, night=0.1),
    Ring("gift card cash-out", gift_card_cash_out, 40, ((30, 52), (66, 88)), 29, night=0.6),
    Ring("coupon farm", coupon_farm, 40, ((24, 34), (60, 80)), 30, night=0.2),
    Ring("mule pick-up", mule_pickup, 34, ((12, 45), (62, 79)), 36, night=0.1),
)
