"""What a household calls its banks, merchants, bills and goals.

Split from the provider of ``household``, so that what generates nothing does not import Faker.
"""

from __future__ import annotations

import datetime

FIRST_DAY = datetime.date(2024, 1, 1)  # a Monday
LAST_DAY = datetime.date(2026, 12, 31)

INSTITUTIONS = (
    "Harbour Street Bank", "First Meadow Credit Union", "Northlight Savings", "Old Mill Bank",
    "Ledger & Pine", "Union Square Bank", "Riverside Building Society", "Comet Direct",
    "Alder Valley Bank", "Bluebird Card Services", "Granite Mutual", "Society for Thrift",
)  # fmt: skip
ACCOUNTS = {
    "checking": ("Everyday Checking", "Joint Checking", "Household Account", "Salary Account"),
    "savings": ("Rainy Day Savings", "High Yield Savings", "Holiday Savings", "House Deposit"),
    "credit": ("Cash Back Card", "Travel Card", "Store Card"),
    "investment": ("Index Fund", "Retirement Account"),
    "loan": ("Car Loan", "Student Loan"),
    "mortgage": ("Home Mortgage",),
}
MERCHANTS = {
    "Groceries": ("Green Basket Market", "Corner Grocer", "Aldergate Foods", "Farm & Field"),
    "Dining Out": ("Noodle House", "Trattoria Lucia", "The Copper Kettle", "Taco Stand"),
    "Going Out": ("The Blue Lantern", "Odeon Cinema", "Bowl-a-Rama", "Jazz Cellar"),
    "Coffee": ("Corner Coffee", "Bean There", "Café Zoë"),
    "Transport": ("Metro Transit", "City Bikes", "Quick Fuel", "Airport Parking"),
    "Housing": ("Maple Court Rentals", "Home Mortgage Payment", "Fix-It Hardware"),
    "Utilities": ("City Power & Light", "Clearwater Utility", "Northern Gas"),
    "Phone & Internet": ("Skyline Mobile", "Fibre First"),
    "Subscriptions": ("Streamly", "Tune Cloud", "Daily Chronicle", "Cloud Backup Co"),
    "Health": ("Main Street Pharmacy", "Dr. Okafor, DDS", "Lakeside Clinic", "Iron Gym"),
    "Kids": ("Little Oaks Daycare", "Toy Chest", "School Lunch Fund"),
    "Pets": ("Paws & Claws Vet", "Pet Pantry"),
    "Gifts": ("Flower Cart", "Paper & Ribbon"),
    "Travel": ("Skyways Air", "Hostel Zürich", "Rail Europe"),
    "Clothing": ("Thread & Needle", "Second Spin"),
    "Insurance": ("Shield Mutual", "Acorn Auto Cover"),
    "Income": ("Acme Payroll", "Tax Refund", "Interest Paid"),
}
CATEGORIES = tuple(MERCHANTS)
RECURRING = {
    "Rent": 1450.0, "Electricity": 86.4, "Water": 31.15, "Internet": 54.99, "Mobile Plan": 38.0,
    "Streamly": 15.49, "Tune Cloud": 10.99, "Gym": 29.0, "Car Insurance": 92.3,
    "Daycare": 640.0, "Daily Chronicle": 8.2, "Cloud Backup": 1.99,
}  # fmt: skip
FUNDS = (
    "Emergency Fund", "New Roof", "Summer Holiday", "Car Repairs", "Christmas Gifts", "Vet Bills",
    "Property Tax", "New Laptop", "Wedding", "School Trip",
)  # fmt: skip
GOALS = (
    "Spend less on coffee", "Pay off the Travel Card", "Save three months of rent",
    "Cook at home on weekdays", "No impulse buys in March", "Cancel what we do not watch",
)  # fmt: skip
TRIPS = (
    "lisbon-2025", "grandma-visit", "ski-week", "road-trip-2024", "zürich-weekend", "camping",
)  # fmt: skip
NOTES = (
    "split with Sam", "refund expected", "birthday present for Ana", "paid in cash, see receipt",
    "duplicate?", "work trip, will be reimbursed", "tip included", "weekly shop",
    "moved from savings", "check with the bank", "last payment!", "half of it was for the school",
)  # fmt: skip
