"""Why: experiments on changed pictures."""
