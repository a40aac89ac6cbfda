using Carrel.Contracts;
using Carrel.Deskd.Http;

namespace Carrel.Deskd.Screens;

/// <summary>
/// The screens there are: the one of the boot, and up to three that were added since (reference section 19). Those live as
/// long as deskd does; nothing of them is kept.
/// </summary>
internal sealed class ScreenSet(DesktopScreen first, ExtraScreenSettings settings, TimeProvider time) : IAsyncDisposable
{
    public const string DefaultId = "default";
    private const int MostExtra = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static readonly TextField Field = new("screen", "Which screen.", false, 64, DefaultId);

    private readonly Lock _gate = new();
    private readonly ExtraScreen?[] _extra = new ExtraScreen?[MostExtra];

    /// <summary>The one the computer booted with.</summary>
    public DesktopScreen Default => first;

    public IReadOnlyList<DesktopScreen> All
    {
        get
        {
            lock (_gate)
            {
                return [first, .. _extra.OfType<ExtraScreen>().Where(extra => extra.IsReady).Select(extra => extra.Screen)];
            }
        }
    }

    /// <summary>The screen that a query asks for, or the answer that says why there is none.</summary>
    public (DesktopScreen? Screen, Reply? Problem) Of(FieldReader query)
    {
        var id = query.Read(Field);
        return query.Problem is null ? Find(id) : (null, query.Problem);
    }

    public (DesktopScreen? Screen, Reply? Problem) Find(string id)
    {
        if (id == DefaultId)
        {
            return (first, null);
        }

        var all = All;
        return all.FirstOrDefault(screen => screen.Id == id) is { } found
            ? (found, null)
            : (null, Reply.Error(
                404, ErrorCodes.NotFound, $"there is no screen {id}; there is: {string.Join(", ", all.Select(screen => screen.Id))}", Field.Name));
    }

    /// <summary>Adds a screen and returns once its window manager manages it.</summary>
    public async Task<Outcome<DesktopScreen>> AddAsync(int width, int height, CancellationToken cancellationToken)
    {
        var depth = first.Display.Connection.Setup.Depth;
        ExtraScreen extra;
        lock (_gate)
        {
            var place = Array.IndexOf(_extra, null);
            if (place < 0)
            {
                return new Failure(ErrorCodes.ScreenLimit, $"a computer has at most {MostExtra + 1} screens", "Delete one first.");
            }

            extra = new ExtraScreen(settings.FirstDisplay + place, width, height, depth, settings, time);
            _extra[place] = extra;
        }

        _ = ForgetAsync(extra);
        extra.Start();
        string? why;
        try
        {
            why = await extra.Started.WaitAsync(Patience, time, cancellationToken);
        }
        catch (Exception impatient) when (impatient is TimeoutException or OperationCanceledException)
        {
            why = "it took too long";
        }

        if (why is null)
        {
            return extra.Screen;
        }

        extra.Stop();
        await extra.Ended;
        Forget(extra);
        cancellationToken.ThrowIfCancellationRequested();
        return new Failure(ErrorCodes.DesktopUnreachable, $"{extra.Screen.Id} could not be started: {why}");
    }

    /// <summary>Ends a screen with all that runs on it; returns when it is gone.</summary>
    public async Task RemoveAsync(DesktopScreen screen)
    {
        ExtraScreen? extra;
        lock (_gate)
        {
            extra = Array.Find(_extra, other => other?.Screen == screen);
        }

        if (extra is not null)
        {
            extra.Stop();
            await extra.Ended;
            Forget(extra);
        }
    }

    /// <summary>Ends all screens that were added.</summary>
    public async ValueTask DisposeAsync()
    {
        ExtraScreen[] extra;
        lock (_gate)
        {
            extra = [.. _extra.OfType<ExtraScreen>()];
        }

        Array.ForEach(extra, screen => screen.Stop());
        await Task.WhenAll(extra.Select(screen => screen.Ended));
    }

    private async Task ForgetAsync(ExtraScreen extra)
    {
        await extra.Ended;
        Forget(extra);
    }

    /// <summary>Whoever waited for the end does this, so that the place is free when it goes on.</summary>
    private void Forget(ExtraScreen extra)
    {
        lock (_gate)
        {
            if (Array.IndexOf(_extra, extra) is var place and >= 0)
            {
                _extra[place] = null;
            }
        }
    }
}
