#!/usr/bin/env python3
"""Writes the sample: a simulated online shop's click streams, transactions and, for checking alone, the truth.

    python3 make_sample.py [FOLDER]        (default: the folder of this script)

Nothing but Python's standard library, one seed, the same bytes on every run. README.md says what the columns mean.

Every transaction is made by a *habit*: a function that writes the click stream and sets the features that differ from
an ordinary customer's. Most habits are legitimate. Six belong to rings of fraudsters, who work by a playbook, so that
their members resemble each other more than chance allows. For each ring there is a legitimate habit that does some of
the same things for good reasons: people forget passwords, give gift cards away and have their cards declined. Some
members of every ring leave its playbook in part, and some fraud has no ring.
"""
import csv
import math
import random
import sys
from pathlib import Path

SEED = 20260105
TRANSACTIONS = 21_000
DAYS = 90  # The snapshot is taken at the end of the last day.
DAY = 86_400
DISPUTE_DAYS = 60  # A transaction this old without a chargeback counts as legitimate.
DISPUTED = 0.92  # The share of fraud that is ever charged back.
FALSE_CHARGEBACKS = 0.0004  # Legitimate transactions that are charged back all the same.

COUNTRIES = {"NL": 30, "DE": 28, "BE": 14, "FR": 12, "PL": 6, "GB": 5, "ES": 3, "IT": 2}
DEVICES = {"desktop": 40, "mobile": 34, "app": 18, "tablet": 8}
PAYMENTS = {"card": 46, "wallet": 26, "transfer": 18, "invoice": 10}
BASKETS = {"fashion": 28, "home": 20, "electronics": 18, "beauty": 12, "toys": 10, "grocery": 9, "giftcard": 3}
DELIVERIES = {"home": 76, "pickup": 18, "office": 6}

# The seconds that a person typically spends on an event before the next one.
PAUSES = {
    "home": 6, "search": 9, "list": 12, "product": 22, "photos": 12, "reviews": 30, "wishlist": 6, "cart": 7,
    "uncart": 5, "coupon": 9, "nocoupon": 7, "login": 8, "badlogin": 7, "reset": 40, "register": 35, "profile": 15,
    "address": 25, "addcard": 28, "declined": 10, "gift": 15, "points": 8, "orders": 14, "return": 25, "track": 12,
    "help": 30, "chat": 90, "checkout": 18,
}

COLUMNS = (
    "amount", "items", "discount", "account_age_days", "orders_before", "returns_share", "email_age_days",
    "distance_km", "ip_risk", "country", "device", "payment", "basket", "delivery", "guest", "ships_elsewhere", "vpn",
)
# Features that only make sense together.
TOGETHER = (
    ("amount", "items", "basket"), ("discount",), ("account_age_days", "orders_before", "returns_share", "guest"),
    ("email_age_days",), ("distance_km",), ("ip_risk",), ("country",), ("device",), ("payment",),
    ("delivery", "ships_elsewhere"), ("vpn",),
)
DECIMALS = {"amount": 2, "discount": 2, "returns_share": 2, "ip_risk": 2}


class Transaction:
    """One transaction while it is made: its click stream and its features."""

    def __init__(self, rng):
        self.rng = rng
        self.start = 0.0  # Seconds since the epoch.
        self.clock = 0.0  # Seconds since the start.
        self.events = []  # (seconds since the start, event, dwell or None)
        self.ring = ""
        self.fraud = False
        self.by_hand = False  # Whether a machine's steps are done at a person's pace.
        self.tempo = rng.lognormvariate(0, 0.35)
        self.tracked = rng.random() < 0.93  # Some browsers block the measuring of dwell.
        self.features = ordinary_features(rng)

    def click(self, *events):
        """Events at a person's pace: nobody is regular, and now and then somebody walks away for a while."""
        for event in events:
            pause = PAUSES[event] * self.tempo * self.rng.lognormvariate(0, 0.55)
            dwell = round(pause * self.rng.uniform(0.55, 1.0)) if self.tracked else None
            if self.rng.random() < 0.006:
                pause += self.rng.uniform(300, 2400)
            self._add(event, pause, dwell)

    def machine(self, period, *events):
        """Events at a machine's pace, or that of a person who does the same for the hundredth time."""
        if self.by_hand:
            return self.click(*events)
        for event in events:
            pause = period * max(0.2, self.rng.gauss(1, 0.12))
            self._add(event, pause, round(pause * self.rng.uniform(0.8, 0.95)) if self.tracked else None)

    def browse(self, events):
        """Looks around: a walk over the pages of the shop."""
        page = pick(self.rng, {"home": 5, "search": 4, "list": 3})
        for _ in range(events):
            self.click(page)
            page = pick(self.rng, WALK[page])

    def pay(self, time):
        """Ends the stream with the payment, at a time since the epoch."""
        self.events.append((self.clock, "pay", None))
        self.start = max(0.0, time - self.clock)

    @property
    def time(self):
        return self.start + self.clock

    def _add(self, event, pause, dwell):
        self.events.append((self.clock, event, dwell))
        self.clock += max(0.1, pause)


WALK = {
    "home": {"search": 5, "list": 5, "product": 1},
    "search": {"product": 6, "list": 2, "search": 2},
    "list": {"product": 7, "list": 2, "search": 1},
    "product": {"product": 4, "photos": 3, "reviews": 2, "list": 3, "search": 2, "wishlist": 1},
    "photos": {"product": 3, "photos": 2, "reviews": 2, "list": 1},
    "reviews": {"product": 4, "photos": 1, "list": 2},
    "wishlist": {"product": 3, "list": 2, "search": 1},
}


def pick(rng, weights):
    """A key, drawn by its weight."""
    at = rng.random() * sum(weights.values())
    for key, weight in weights.items():
        at -= weight
        if at < 0:
            return key
    return key


def count(rng, mean, most):
    """A whole number from 0 to `most` with about this mean: geometric, as the length of a visit is."""
    if mean <= 0:
        return 0
    return min(most, int(math.log(1 - rng.random()) / math.log(mean / (1 + mean))))


def ordinary_features(rng):
    """The features of an ordinary customer. Habits replace what is different about theirs."""
    guest = rng.random() < 0.15
    age = rng.expovariate(1 / 600)
    orders = 0 if guest else count(rng, min(14, 0.6 + age / 90), 120)
    basket = pick(rng, BASKETS)
    items = 1 + count(rng, 1.1, 12)
    price = {"electronics": 130, "home": 38, "fashion": 34, "beauty": 18, "toys": 22, "grocery": 9, "giftcard": 35}
    return {
        "amount": price[basket] * items ** 0.8 * rng.lognormvariate(0, 0.6),
        "items": items,
        "discount": rng.choice((0.05, 0.1, 0.15, 0.2, 0.25)) if rng.random() < 0.22 else 0.0,
        "account_age_days": None if guest else int(age),
        "orders_before": orders,
        "returns_share": min(1.0, rng.betavariate(1.2, 9)) if orders else None,
        "email_age_days": None if rng.random() < 0.08 else int(age + rng.expovariate(1 / 900)),
        "distance_km": None if rng.random() < 0.09 else int(rng.lognormvariate(2.6, 1.1)),
        "ip_risk": None if rng.random() < 0.05 else rng.betavariate(1.4, 7),
        "country": pick(rng, COUNTRIES),
        "device": pick(rng, DEVICES),
        "payment": pick(rng, PAYMENTS),
        "basket": basket,
        "delivery": pick(rng, DELIVERIES),
        "guest": guest,
        "ships_elsewhere": rng.random() < 0.08,
        "vpn": rng.random() < 0.05,
    }


# ------------------------------------------------------------------------------------------------- legitimate habits

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
    f.update(guest=False, account_age_days=int(30 + rng.expovariate(1 / 500)), device="app" if rng.random() < 0.8 else "mobile")
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


HABITS = {browser: 285, returning: 245, quick: 205, bargain_hunter: 85, business: 42, gift_giver: 45, forgetful: 30,
          card_trouble: 20, returner: 28, pickup_user: 35}


# -------------------------------------------------------------------------------------------------------------- rings

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
    f.update(basket=pick(rng, {"beauty": 6, "grocery": 3, "toys": 1}), delivery="pickup" if rng.random() < 0.7 else "home")
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
STRAY = 0.14  # The share of a ring's members that leave its playbook in part.
SLIP = 0.07  # How likely each group of features of the others is an ordinary customer's all the same.
LONE = 20  # Fraud without a ring.
LOOKALIKES = 120  # Legitimate transactions that take the steps of a ring, at a person's pace, for reasons of their own.


# ------------------------------------------------------------------------------------------------------- the sample

def moment(rng, first_day, last_day, night):
    """A time of a purchase: in the evening more often than in the morning; `night` of them from 0 to 6 o'clock."""
    day = rng.randint(first_day, last_day)
    if rng.random() < night:
        hour = rng.uniform(0, 6)
    else:
        hour = pick(rng, HOURS) + rng.random()
    return day * DAY + hour * 3600


HOURS = {0: 2, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 2, 7: 4, 8: 6, 9: 8, 10: 9, 11: 9, 12: 10, 13: 9, 14: 8, 15: 8, 16: 9,
         17: 9, 18: 10, 19: 13, 20: 15, 21: 14, 22: 9, 23: 5}


def legitimate(rng):
    transaction = Transaction(rng)
    pick(rng, HABITS)(transaction)
    transaction.pay(moment(rng, 0, DAYS - 1, night=0.0))
    f = transaction.features
    if f["email_age_days"] is not None and f["account_age_days"] is not None:
        f["email_age_days"] = max(f["email_age_days"], f["account_age_days"])
    return transaction


def follow(transaction, ring, slip):
    """Takes the steps of a ring; each group of features stays an ordinary customer's with probability `slip`."""
    ordinary = dict(transaction.features)
    ring.habit(transaction)
    for names in TOGETHER:
        if transaction.rng.random() < slip:
            transaction.features.update((name, ordinary[name]) for name in names)


def lookalike(rng):
    transaction = Transaction(rng)
    transaction.by_hand = True
    follow(transaction, rng.choice(RINGS), slip=0.35)
    transaction.pay(moment(rng, 0, DAYS - 1, night=0.0))
    return transaction


def ring_member(rng, ring):
    transaction = Transaction(rng)
    if rng.random() < STRAY:  # Looks around first, and takes half of the features from an ordinary customer.
        transaction.browse(1 + count(rng, 2, 8))
        follow(transaction, ring, slip=0.5)
    else:
        follow(transaction, ring, slip=SLIP)
    transaction.pay(moment(rng, *rng.choice(ring.bursts), ring.night))
    transaction.fraud, transaction.ring = True, ring.name
    return transaction


def lone_fraud(rng):
    transaction = legitimate(rng)
    transaction.fraud = True
    transaction.features["ip_risk"] = rng.betavariate(3, 4)
    transaction.features["amount"] *= rng.uniform(1, 4)
    return transaction


def label(rng, transaction):
    """What the shop knows at the snapshot: 1 charged back, 0 the dispute window is over, None nothing yet."""
    median = next((ring.chargeback_days for ring in RINGS if ring.name == transaction.ring), 40)
    if transaction.fraud:
        charged_back = rng.random() < DISPUTED
    else:
        charged_back = rng.random() < FALSE_CHARGEBACKS
    age = DAYS * DAY - transaction.time
    if charged_back and rng.lognormvariate(math.log(median), 0.6) * DAY <= age:
        return 1
    return 0 if age >= DISPUTE_DAYS * DAY else None


def make(rng):
    transactions = [ring_member(rng, ring) for ring in RINGS for _ in range(ring.size)]
    transactions += [lone_fraud(rng) for _ in range(LONE)]
    transactions += [lookalike(rng) for _ in range(LOOKALIKES)]
    transactions += [legitimate(rng) for _ in range(TRANSACTIONS - len(transactions))]
    transactions.sort(key=lambda t: t.time)
    return transactions


def number(value, decimals=0):
    """The shortest text of a number with at most so many decimals; empty where it is missing."""
    if value is None:
        return ""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell(name, value):
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else number(value, DECIMALS.get(name, 0))


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(SEED)
    transactions = make(rng)
    with (
        open(folder / "events.csv", "w", newline="") as events_file,
        open(folder / "transactions.csv", "w", newline="") as transactions_file,
        open(folder / "truth.csv", "w", newline="") as truth_file,
    ):
        events = csv.writer(events_file, lineterminator="\n")
        rows = csv.writer(transactions_file, lineterminator="\n")
        truth = csv.writer(truth_file, lineterminator="\n")
        events.writerow(("transaction", "seconds", "event", "dwell"))
        rows.writerow(("transaction", "time", *COLUMNS, "label"))
        truth.writerow(("transaction", "fraud", "ring"))
        for index, transaction in enumerate(transactions):
            for clock, event, dwell in transaction.events:
                events.writerow((index, number(transaction.start + clock, 1), event, number(dwell)))
            features = [cell(name, transaction.features[name]) for name in COLUMNS]
            rows.writerow((index, number(transaction.time, 1), *features, number(label(rng, transaction))))
            truth.writerow((index, int(transaction.fraud), transaction.ring))


if __name__ == "__main__":
    main()
