"""Put into the project's urls.py: path("frontispiece/", include("frontispiece_oscar.urls"))."""

from django.urls import path

from frontispiece_oscar import views

urlpatterns = [
    path("check/", views.Check.as_view()),
    path("products/", views.Products.as_view()),
    path("products/<int:pk>/", views.OneProduct.as_view()),
    path("products/<int:pk>/pictures/", views.Pictures.as_view()),
    path("products/<int:pk>/pictures/<int:image>/", views.Pictures.as_view()),
]
