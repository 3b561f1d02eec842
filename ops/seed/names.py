"""Names of the sample airline's customers."""

from __future__ import annotations

GIVEN_NAMES = (
    "Aaliyah", "Adrian", "Aisha", "Alex", "Amara", "Amelia", "Andre", "Anika", "Arthur", "Beatriz", "Ben",
    "Camille", "Carlos", "Chen", "Chloe", "Daniel", "Daria", "David", "Elena", "Eli", "Emma", "Ethan", "Fatima",
    "Felix", "Frida", "Gabriel", "Hannah", "Hugo", "Imani", "Ivan", "Jack", "Jamal", "Jin", "Jonas", "Kai",
    "Keiko", "Lara", "Leo", "Linh", "Lucas", "Maeve", "Marta", "Mateo", "Naomi", "Nikhil", "Nora", "Olga", "Omar",
    "Paula", "Quinn", "Rafael", "Rosa", "Samir", "Sanjay", "Selma", "Theo", "Uma", "Victor", "Wanda", "Yara",
    "Yusuf", "Zane",
)  # fmt: skip

SURNAMES = (
    "Abbott", "Adeyemi", "Alvarez", "Andersen", "Baker", "Banerjee", "Bauer", "Bianchi", "Brooks", "Castillo",
    "Chavez", "Chen", "Cohen", "Costa", "Davies", "Diallo", "Dubois", "Edwards", "Eriksen", "Farah", "Fischer",
    "Flores", "Garcia", "Goldberg", "Gupta", "Hansen", "Hernandez", "Hoang", "Hughes", "Ibrahim", "Ito",
    "Jackson", "Jansen", "Johnson", "Kaur", "Kim", "Kowalski", "Larsen", "Lee", "Lopez", "Malik", "Marino",
    "Martin", "Mensah", "Moreau", "Morgan", "Nakamura", "Nguyen", "Novak", "O'Brien", "Okonkwo", "Ortiz", "Park",
    "Patel", "Petrov", "Quist", "Reyes", "Rivera", "Robinson", "Rossi", "Sato", "Schmidt", "Silva", "Singh",
    "Smith", "Takahashi", "Thompson", "Torres", "Usman", "Vargas", "Walker", "Wang", "Weber", "Williams",
    "Wright", "Yamamoto", "Young", "Zhang", "Zhou",
)  # fmt: skip
