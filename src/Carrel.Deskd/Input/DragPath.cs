namespace Carrel.Deskd.Input;

/// <summary>A straight line, walked in even steps of which the last is its end.</summary>
internal readonly record struct DragPath(int StartX, int StartY, int EndX, int EndY, int Steps)
{
    public (int X, int Y) At(int step)
    {
        var part = (double)step / Steps;
        return ((int)Math.Round(StartX + ((EndX - StartX) * part)), (int)Math.Round(StartY + ((EndY - StartY) * part)));
    }
}
