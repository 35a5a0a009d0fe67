"""The simulated shop's customers: a transaction while it is made, and the features of an ordinary customer."""

import math

COUNTRIES = {"NL": 30, "DE": 28, "BE": 14, "FR": 12, "PL": 6, "GB": 5, "ES": 3, "IT": 2}
DEVICES = {"desktop": 40, "mobile": 34, "app": 18, "tablet": 8}
PAYMENTS = {"card": 46, "wallet": 26, "transfer": 18, "invoice": 10}
BASKETS = {"fashion": 28, "home": 20, "electronics": 18, "beauty": 12, "toys": 10, "grocery": 9, "giftcard": 3}
DELIVERIES = {"home": 76, "pickup": 18, "office": 6}

# The seconds that a person typically spends on an event before the next one.
PAUSES = {
    "home": 6,
    "search": 9,
    "list": 12,
    "product": 22,
    "photos": 12,
    "reviews": 30,
    "wishlist": 6,
    "cart": 7,
    "uncart": 5,
    "coupon": 9,
    "nocoupon": 7,
    "login": 8,
    "badlogin": 7,
    "reset": 40,
    "register": 35,
    "profile": 15,
    "address": 25,
    "addcard": 28,
    "declined": 10,
    "gift": 15,
    "points": 8,
    "orders": 14,
    "return": 25,
    "track": 12,
    "help": 30,
    "chat": 90,
    "checkout": 18,
}

COLUMNS = (
    "amount",
    "items",
    "discount",
    "account_age_days",
    "orders_before",
    "returns_share",
    "email_age_days",
    "distance_km",
    "ip_risk",
    "country",
    "device",
    "payment",
    "basket",
    "delivery",
    "guest",
    "ships_elsewhere",
    "vpn",
)
# Features that only make sense together.
TOGETHER = (
    ("amount", "items", "basket"),
    ("discount",),
    ("account_age_days", "orders_before", "returns_share", "guest"),
    ("email_age_days",),
    ("distance_km",),
    ("ip_risk",),
    ("country",),
    ("device",),
    ("payment",),
    ("delivery", "ships_elsewhere"),
    ("vpn",),
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
        "amount": price[basket] * items**0.8 * rng.lognormvariate(0, 0.6),
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
