"""What the experiments compare, by the names that ``results.json`` uses, and how a reader sees them."""

ARMS: dict[str, str] = {
    "hat": "hair, toward a hat's colour",
    "hair": "hair, toward other hair",
    "background": "background, as far",
}
"""What is recoloured: the treatment and its two controls."""
PASTED: dict[str, str] = {
    "real": "hats found that people really wear",
    "worn": "pasted hats found, on the head",
    "beside": "the same hats found, beside the person",
    "context": "difference",
    "hair_before": "hair that stays visible called headwear, without the hat",
    "hair_beside": "the same with the hat beside the person",
    "hair_worn": "the same with the hat on the head",
    "pull": "difference, on the head minus without",
}
PROBES: dict[str, str] = {
    "color": "colour of the pixel alone, fitted",
    "features": "last decoder features, fitted",
    "network": "the network's own output",
}
CROWD: dict[str, str] = {
    "rear": "rear person, with the other minus alone",
    "front": "front person, with the other minus alone",
    "both": "both, together minus alone",
    "silhouette": "rear person, with a plain silhouette minus alone",
    "person": "rear person, with the other minus with the silhouette",
}
"""What is compared in composed pictures; all differences of the mean IoU over the same pixels."""
