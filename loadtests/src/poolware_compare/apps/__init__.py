"""The applications under load: four frameworks, and in each of them three ways of coming by what a request needs.

`POOLWARE_COMPARE_KIT` chooses the way: `plain`, `by_hand` or `pooled`.

    POOLWARE_COMPARE_KIT=plain uvicorn poolware_compare.apps.starlette_app:app
"""
