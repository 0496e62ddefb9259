"""The lab's addresses, below /lab/."""

from django.urls import path

from readerstudy.lab import job_views, lesson_views, run_views, stimulus_views

app_name = "lab"
urlpatterns = [
    path("", job_views.jobs, name="jobs"),
    path("jobs/<int:number>/", job_views.job, name="job"),
    path("jobs/<int:number>/log.txt", job_views.log, name="log"),
    path("jobs/<int:number>/cancel/", job_views.cancel, name="cancel"),
    path("jobs/<int:number>/retry/", job_views.retry, name="retry"),
    path("start/<slug:kind>/", job_views.start, name="start"),
    path("runs/", run_views.runs, name="runs"),
    path("runs/<slug:name>/", run_views.run, name="run"),
    path("runs/<slug:name>/<str:picture>", run_views.picture, name="run-picture"),
    path("attacks/<slug:name>/", run_views.attack, name="attack"),
    path("evaluations/<int:number>/", run_views.evaluation, name="evaluation"),
    path("evaluations/<int:number>/<slug:key>.svg", run_views.figure, name="figure"),
    path("lessons/<slug:code>/", lesson_views.lessons, name="lessons"),
    path("lessons/<slug:code>/<int:number>/<slug:panel>.jpg", lesson_views.picture, name="lesson-picture"),
    path("stimuli/", stimulus_views.stimuli, name="stimuli"),
    path("stimuli/<int:number>/", stimulus_views.stimulus, name="stimulus"),
    path("stimuli/<int:number>/exclude/", stimulus_views.exclude, name="exclude"),
    path("stimuli/<int:number>/<slug:panel>/", stimulus_views.full_size, name="full-size"),
    path("stimuli/<int:number>/<slug:panel>.jpg", stimulus_views.picture, name="picture"),
]
