"""Legitimate habits. A habit writes a transaction's click stream and sets the features that differ from an ordinary
customer's."""

from shop import count, pick


def sign_in(t, new=0.0):
    """Opens an account with probability `new`; logs in otherwise, or goes on as a guest."""
    if t.rng.random() < new:
        t.features.update(guest=False, account_age_days=0, orders_before=0, returns_share=None)
        t.click("register")
    else:
        t.click("address" if t.features["guest"] else "login")


def browser(t):
    """Looks around for a while, then buys."""
    rng = t.rng
    t.browse(3 + count(rng, 7, 55))
    t.click("cart")
    if rng.random() < 0.3:
        t.browse(1 + count(rng, 2, 10))
        t.click("cart")
    sign_in(t, new=0.06)
    if rng.random() < 0.1:
        t.click("coupon" if rng.random() < 0.6 else "nocoupon")
    if rng.random() < 0.12:
        t.click("addcard")
    t.click("checkout")


def returning(t):
    """Knows the shop: logs in, finds the thing, buys it."""
    rng, f = t.rng, t.features
    f.update(guest=False, account_age_days=int(60 + rng.expovariate(1 / 800)))
    f.update(orders_before=3 + count(rng, 12, 150), returns_share=rng.betavariate(1.2, 8))
    t.click("login")
    if rng.random() < 0.35:
        t.click(*rng.choice((("orders",), ("orders", "track"), ("points",))))
    t.browse(1 + count(rng, 2.4, 25))
    t.click("cart", "checkout")


def quick(t):
    """Buys in the app, in seconds, with everything saved."""
    rng, f = t.rng, t.features
    f.update(
        guest=False,
        account_age_days=int(30 + rng.expovariate(1 / 500)),
        device="app" if rng.random() < 0.8 else "mobile",
    )
    f.update(orders_before=2 + count(rng, 9, 100), payment="wallet" if rng.random() < 0.6 else "card")
    f.update(returns_share=rng.betavariate(1.2, 8))
    t.tempo *= 0.6
    if rng.random() < 0.25:
        t.click("home")
    t.click(*["product"] * count(rng, 1.0, 5))
    if rng.random() < 0.6:
        t.click("cart")
    if rng.random() < 0.5:
        t.click("checkout")
    if not t.events:
        t.click("product")


def bargain_hunter(t):
    """Compares, tries coupons, changes the basket, buys what is cheap."""
    rng, f = t.rng, t.features
    f.update(discount=rng.choice((0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)), items=1 + count(rng, 2.5, 14))
    f["amount"] *= 0.8
    t.browse(4 + count(rng, 6, 40))
    for _ in range(1 + count(rng, 0.8, 4)):
        t.click("cart")
        if rng.random() < 0.5:
            t.click("uncart")
        t.browse(1 + count(rng, 1.5, 8))
    t.click("cart")
    sign_in(t, new=0.2)
    t.click(*["nocoupon"] * count(rng, 1.1, 6), "coupon", "checkout")


def business(t):
    """Orders a list of articles on invoice."""
    rng, f = t.rng, t.features
    f.update(guest=False, account_age_days=int(200 + rng.expovariate(1 / 900)), orders_before=8 + count(rng, 25, 200))
    f.update(items=6 + count(rng, 14, 90), payment="invoice" if rng.random() < 0.8 else "transfer", device="desktop")
    f.update(delivery="office" if rng.random() < 0.75 else "home", returns_share=rng.betavariate(1, 14))
    f.update(basket=rng.choice(("electronics", "home", "grocery")), amount=rng.lognormvariate(6.2, 0.7))
    t.tempo *= 0.7
    t.click("login")
    for _ in range(3 + count(rng, 6, 24)):
        t.click("search", "product") if rng.random() < 0.6 else t.click("search")
        t.click("cart")
    t.click("checkout")


def gift_giver(t):
    """Sends a present, sometimes a gift card, to another address."""
    rng, f = t.rng, t.features
    f.update(ships_elsewhere=rng.random() < 0.75, basket=pick(rng, {"toys": 4, "beauty": 3, "giftcard": 4, "home": 2}))
    if f["basket"] == "giftcard":
        f["amount"] = rng.choice((15, 20, 25, 25, 50, 50, 75, 100, 150))
        t.browse(count(rng, 1.5, 8))
        t.click(*["gift"] * (1 + count(rng, 0.5, 3)))
    else:
        t.browse(2 + count(rng, 3, 20))
        t.click("cart")
    sign_in(t, new=0.3)
    t.click("address")
    if rng.random() < 0.3:
        t.click("addcard")
    t.click("checkout")


def forgetful(t):
    """Has forgotten the password."""
    rng, f = t.rng, t.features
    f.update(guest=False, account_age_days=int(150 + rng.expovariate(1 / 900)), orders_before=1 + count(rng, 5, 60))
    f.update(returns_share=rng.betavariate(1.2, 8))
    if rng.random() < 0.5:
        t.browse(1 + count(rng, 3, 20))
    t.click(*["badlogin"] * (1 + count(rng, 1.3, 5)))
    if rng.random() < 0.7:
        t.click("reset")
    t.click("login")
    if rng.random() < 0.25:
        t.click("profile")
    if rng.random() < 0.2:
        t.click("address")
    t.browse(1 + count(rng, 3, 25))
    t.click("cart", "checkout")


def card_trouble(t):
    """The card is declined, the next one works."""
    rng, f = t.rng, t.features
    f.update(payment="card")
    t.browse(1 + count(rng, 3, 25))
    t.click("cart")
    sign_in(t)
    t.click("checkout")
    for _ in range(1 + count(rng, 0.5, 3)):
        t.click("addcard", "declined")
    t.click("addcard")
    if rng.random() < 0.5:
        t.click("checkout")


def returner(t):
    """Orders clothes in three sizes and sends two back."""
    rng, f = t.rng, t.features
    f.update(guest=False, account_age_days=int(90 + rng.expovariate(1 / 600)), orders_before=4 + count(rng, 12, 90))
    f.update(returns_share=rng.betavariate(4, 5), basket="fashion", items=2 + count(rng, 2, 10))
    f["amount"] = 30 * f["items"] ** 0.8 * rng.lognormvariate(0, 0.4)
    t.click("login", "orders")
    if rng.random() < 0.6:
        t.click("return")
    if rng.random() < 0.2:
        t.click("help")
    t.browse(2 + count(rng, 4, 25))
    t.click("cart", "checkout")


def pickup_user(t):
    """Never at home: changes the delivery to a pick-up point and looks where it is."""
    rng, f = t.rng, t.features
    f.update(delivery="pickup", ships_elsewhere=rng.random() < 0.3)
    t.browse(2 + count(rng, 4, 30))
    t.click("cart")
    sign_in(t)
    t.click("address")
    if rng.random() < 0.3:
        t.click("address")
    t.click("checkout")


HABITS = {
    browser: 285,
    returning: 245,
    quick: 205,
    bargain_hunter: 85,
    business: 42,
    gift_giver: 45,
    forgetful: 30,
    card_trouble: 20,
    returner: 28,
    pickup_user: 35,
}
